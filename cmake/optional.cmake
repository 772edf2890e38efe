# Optional parts: one file each, compiled in where the headers of its library are found.  The library itself is
# not linked but opened when it is first needed (base/library.h), by the name it has at run time.
#
#     qn_optional(<target> <NAME> <pkg-config module> <source>)
#
# sets QN_HAS_<NAME>, defines it for the target, and, for the source, QN_<NAME>_LIBRARY ("libpng16.so.16") and
# QN_<NAME>_VERSION ("1.6.39").
if(QN_OPTIONAL)
    find_package(PkgConfig QUIET)
endif()

# The name that programs linked to a shared library ask for.
function(qn_soname out path)
    execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${path} OUTPUT_VARIABLE headers ERROR_QUIET)
    string(REGEX MATCH "SONAME +([^ \n]+)" found "${headers}")
    set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

function(qn_optional target name module source)
    if(NOT QN_OPTIONAL OR NOT PKG_CONFIG_FOUND)
        return()
    endif()
    pkg_check_modules(QN_${name} QUIET ${module})
    if(NOT QN_${name}_FOUND)
        message(STATUS "Optional part ${name}: no ${module}")
        return()
    endif()
    list(GET QN_${name}_LINK_LIBRARIES 0 path)
    qn_soname(soname "${path}")
    if(NOT soname)
        message(STATUS "Optional part ${name}: ${path} is no shared library")
        return()
    endif()
    target_sources(${target} PRIVATE ${source})
    target_compile_definitions(${target} PRIVATE QN_HAS_${name})
    set_source_files_properties(${source} TARGET_DIRECTORY ${target} PROPERTIES
        COMPILE_DEFINITIONS "QN_${name}_LIBRARY=\"${soname}\";QN_${name}_VERSION=\"${QN_${name}_VERSION}\""
        INCLUDE_DIRECTORIES "${QN_${name}_INCLUDE_DIRS}")
    set(QN_HAS_${name} ON PARENT_SCOPE)
endfunction()
