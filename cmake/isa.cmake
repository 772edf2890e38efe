# A source whose name ends in _<isa> is compiled with that ISA's flags, and nothing else is.
set(QN_FLAGS_avx2 -mavx2 -mfma -mf16c -mbmi2)
set(QN_FLAGS_avx512 -mavx2 -mfma -mf16c -mbmi2 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512cd
    -mprefer-vector-width=512)
set(QN_FLAGS_avx512vnni ${QN_FLAGS_avx512} -mavx512vnni)

# Kernels are fast in every build, so that their tests are.  Clang's -O3 unrolls before arrays become registers.
set(QN_KERNEL_OPTIMIZATION $<IF:$<C_COMPILER_ID:GNU>,-O3,-O2>)

# Fuzzers look for faults in readers; kernels have the asan build, and instrumented take minutes each to compile.
if(QN_FUZZ)
    set(QN_KERNEL_OPTIMIZATION -O1 -fno-sanitize=all)
endif()

function(qn_kernel_sources target)
    foreach(source IN LISTS ARGN)
        string(REGEX MATCH "[^_]+$" isa "${source}")
        string(REPLACE ".c" "" isa "${isa}")
        set_source_files_properties(${source} TARGET_DIRECTORY ${target}
            PROPERTIES COMPILE_OPTIONS "${QN_KERNEL_OPTIMIZATION};${QN_FLAGS_${isa}}")
        target_sources(${target} PRIVATE ${source})
    endforeach()
endfunction()
