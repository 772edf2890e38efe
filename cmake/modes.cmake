# What a whole build is for: release flags, sanitizers, coverage.  Included before any target exists.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
# Some optimization also while debugging: without, GCC does not see what is used before it is set.
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")

# Sections, so that a program keeps only the functions it can reach.
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections)

if(QN_SANITIZE)
    # A finding ends the program: a test that prints one and passes would go unread.
    add_compile_options(-fsanitize=${QN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${QN_SANITIZE})
endif()

if(QN_COVERAGE)
    set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()

# Every target is a fuzzer's code, instrumented; only the fuzzers themselves get libFuzzer's main.
if(QN_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR "QN_FUZZ needs Clang (libFuzzer); the compiler is ${CMAKE_C_COMPILER_ID}")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
