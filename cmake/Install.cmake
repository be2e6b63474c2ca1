# What `cmake --install` and the Debian package bring. The component "server" is
# what the container image has too.
include(GNUInstallDirs)
# A package is made of what was built, not of the tests as well.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)

install(TARGETS deberta-server deberta-client deberta-read-hdf5
        RUNTIME COMPONENT server)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/deberta-server
        RENAME copyright COMPONENT server)
install(TARGETS deberta-bench deberta-convert RUNTIME COMPONENT tools)
install(FILES proto/deberta/v1/deberta.proto
        DESTINATION ${CMAKE_INSTALL_DATADIR}/deberta-server/proto/deberta/v1
        COMPONENT tools)

# For the Debian package alone: its paths are fixed.
set(packaged COMPONENT package EXCLUDE_FROM_ALL)
install(FILES deploy/systemd/deberta-server.service
        DESTINATION /usr/lib/systemd/system ${packaged})
install(FILES deploy/systemd/deberta-server.default DESTINATION /etc/default
        RENAME deberta-server ${packaged})
# Models are put here.
install(DIRECTORY DESTINATION /var/lib/deberta-server/models ${packaged})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME deberta-server)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "DeBERTa models over gRPC")
set(CPACK_PACKAGE_DESCRIPTION
"Serves DeBERTa models (v1, v2, v3, mDeBERTa) of the Hugging Face layout on CPUs:
classification, token tagging, question answering, mask filling, embeddings.")
set(CPACK_PACKAGE_CONTACT "deberta-serve maintainers <maintainers@deberta-serve.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL server tools package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
# For /bin/kill of the unit.
set(CPACK_DEBIAN_PACKAGE_DEPENDS procps)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles
    ${CMAKE_SOURCE_DIR}/deploy/debian/postinst
    ${CMAKE_SOURCE_DIR}/deploy/debian/postrm
    ${CMAKE_SOURCE_DIR}/deploy/debian/prerm)
include(CPack)
