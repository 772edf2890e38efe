# The library as others use it, and what `cmake --install` puts where.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# One library from the objects of both parts; only what is marked QN_API can be seen.
add_library(quern_shared SHARED $<TARGET_OBJECTS:quern_base> $<TARGET_OBJECTS:quern_engine>)
add_library(quern_static STATIC $<TARGET_OBJECTS:quern_base> $<TARGET_OBJECTS:quern_engine>)
set_target_properties(quern_shared PROPERTIES VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR} EXPORT_NAME quern)
foreach(library quern_shared quern_static)
    set_target_properties(${library} PROPERTIES OUTPUT_NAME quern LINKER_LANGUAGE C)
    target_include_directories(${library} INTERFACE
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
    # A static library hands its users what it needs; a shared one keeps that to itself.
    target_link_libraries(${library} PRIVATE Threads::Threads m ${CMAKE_DL_LIBS})
endforeach()
# Under a sanitizer the runtime comes from the program, so the library has names left open.
if(NOT QN_SANITIZE AND NOT QN_FUZZ)
    target_link_options(quern_shared PRIVATE)
endif()
add_library(quern::quern ALIAS quern_shared)
add_library(quern::quern_static ALIAS quern_static)

install(TARGETS quern_shared quern_static EXPORT quern)
install(DIRECTORY include/quern TYPE INCLUDE FILES_MATCHING PATTERN "*.h")
if(TARGET quern)
    install(TARGETS quern)
endif()

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/quern)
configure_package_config_file(cmake/quern-config.cmake.in quern-config.cmake
    INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(quern-config-version.cmake COMPATIBILITY SameMinorVersion)
file(RELATIVE_PATH prefix_from_pkgconfig /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/quern.pc.in quern.pc @ONLY)
install(EXPORT quern NAMESPACE quern:: FILE quern-targets.cmake DESTINATION ${config_dir})
install(FILES ${PROJECT_BINARY_DIR}/quern-config.cmake
    ${PROJECT_BINARY_DIR}/quern-config-version.cmake DESTINATION ${config_dir})
install(FILES ${PROJECT_BINARY_DIR}/quern.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
