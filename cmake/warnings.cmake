# The warnings that every target is compiled with.
function(qn_warnings target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
        -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wformat=2 -Wimplicit-fallthrough -Wvla
        -ffp-contract=off -fno-math-errno -fno-trapping-math)
    if(QN_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()
