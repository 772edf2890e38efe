# The warnings that every target is compiled with.
function(qn_warnings target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
        -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wno-missing-field-initializers -Wformat=2 -Wimplicit-fallthrough -Wvla
        -ffp-contract=off -fno-math-errno -fno-trapping-math)
    if(QN_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
        # Instrumented code confuses GCC's view of values' ranges; the plain builds have the say.
        if(QN_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL GNU)
            target_compile_options(${target} PRIVATE -Wno-error=maybe-uninitialized
                -Wno-error=format-truncation -Wno-error=stringop-overflow)
        endif()
    endif()
endfunction()
