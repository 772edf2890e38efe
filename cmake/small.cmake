# qn_small(<target> <folder>...): what runs once for a model, and not in every run, is compiled for size in releases.
function(qn_small target)
    get_target_property(sources ${target} SOURCES)
    foreach(folder IN LISTS ARGN)
        foreach(source IN LISTS sources)
            if(source MATCHES "/${folder}/.*\\.c$")
                set_source_files_properties(${source} TARGET_DIRECTORY ${target}
                    PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
            endif()
        endforeach()
    endforeach()
endfunction()
