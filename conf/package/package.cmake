# What an installed mcp-reauth consists of, and its .deb. Included by CMakeLists.txt; ./dev package makes all packages.
include(GNUInstallDirs)

# The program describes itself: man pages, completions and schema are what it prints.
set(described ${CMAKE_BINARY_DIR}/described)
set(described_files "")
function(reauth_described name)
  add_custom_command(OUTPUT ${described}/${name}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${described}
    COMMAND $<TARGET_FILE:mcp-reauth> ${ARGN} > ${described}/${name}
    DEPENDS mcp-reauth VERBATIM)
  set(described_files ${described_files} ${described}/${name} PARENT_SCOPE)
endfunction()
reauth_described(mcp-reauth.1 help --man)
reauth_described(mcp-reauth.yaml.5 schema --man)
reauth_described(mcp-reauth.schema.json schema)
reauth_described(mcp-reauth completion bash)
reauth_described(_mcp-reauth completion zsh)
reauth_described(mcp-reauth.fish completion fish)
foreach(page mcp-reauth.1 mcp-reauth.yaml.5)
  add_custom_command(OUTPUT ${described}/${page}.gz COMMAND gzip -9nc ${described}/${page} > ${described}/${page}.gz
    DEPENDS ${described}/${page} VERBATIM)
  list(APPEND described_files ${described}/${page}.gz)
endforeach()

# Debian's changelog names the package's version; what changed stands in CHANGELOG.md.
file(STRINGS /etc/os-release release REGEX "^(ID|VERSION_ID)=")
string(REGEX REPLACE ".*VERSION_ID=\"?([0-9.]+).*" "\\1" release_number "${release}")
string(REGEX REPLACE "(^|.*;)ID=\"?([a-z]+).*" "\\2" release_name "${release}")
string(SUBSTRING "${release_name}" 0 3 release_name)
set(CPACK_DEBIAN_PACKAGE_RELEASE "1~${release_name}${release_number}")
set(package_maintainer "mcp-reauth developers <maintainers@mcp-reauth.org>")
execute_process(COMMAND date -R -u -d ${REAUTH_RELEASED} OUTPUT_VARIABLE released OUTPUT_STRIP_TRAILING_WHITESPACE)
file(WRITE ${described}/changelog.Debian "mcp-reauth (${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) stable; urgency=medium

  * Version ${PROJECT_VERSION}: what is new stands in changelog.gz.

 -- ${package_maintainer}  ${released}
")
foreach(log changelog changelog.Debian)
  set(source ${described}/changelog.Debian)
  if(log STREQUAL "changelog")
    set(source ${PROJECT_SOURCE_DIR}/CHANGELOG.md)
  endif()
  add_custom_command(OUTPUT ${described}/${log}.gz COMMAND gzip -9nc ${source} > ${described}/${log}.gz DEPENDS ${source} VERBATIM)
  list(APPEND described_files ${described}/${log}.gz)
endforeach()
add_custom_target(described ALL DEPENDS ${described_files})

# The unit starts what is installed here.
file(READ conf/mcp-reauth.service unit)
string(REPLACE "/usr/local/bin/" "/usr/bin/" unit "${unit}")
string(REGEX REPLACE "\n#   (install|useradd)[^\n]*" "" unit "${unit}")
file(WRITE ${described}/mcp-reauth.service "${unit}")

set(docs ${CMAKE_INSTALL_DATAROOTDIR}/doc/mcp-reauth)
install(TARGETS mcp-reauth RUNTIME DESTINATION bin)
install(FILES ${described}/mcp-reauth.1.gz DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/man/man1)
install(FILES ${described}/mcp-reauth.yaml.5.gz DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/man/man5)
install(FILES ${described}/mcp-reauth DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions)
install(FILES ${described}/_mcp-reauth DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/zsh/vendor-completions)
install(FILES ${described}/mcp-reauth.fish DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/fish/vendor_completions.d)
install(FILES ${described}/mcp-reauth.schema.json DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/mcp-reauth)
install(FILES ${described}/mcp-reauth.service DESTINATION lib/systemd/system)
install(FILES ${described}/changelog.gz ${described}/changelog.Debian.gz DESTINATION ${docs})
install(FILES conf/package/debian/copyright DESTINATION ${docs})
install(FILES conf/quickstart.yaml conf/team.yaml conf/company.yaml conf/enterprise.yaml conf/mcp-reauth.schema.json DESTINATION ${docs}/examples)
install(PROGRAMS conf/notify/desktop conf/notify/webhook DESTINATION ${docs}/examples/notify)
install(DIRECTORY conf/fleet conf/observe DESTINATION ${docs}/examples)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mcp-reauth)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${package_maintainer}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "authorizing proxy between MCP clients and servers")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "mcp-reauth lets any client of the Model Context Protocol use any protected
server: it attaches credentials, recovers from 401 and 403 by policy (refresh,
step-up, tokens minted from a company's identity provider), sends the request
again, and asks a person only when a person must decide, on a local page.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, init-system-helpers (>= 1.52)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libpq5")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/conf/package/debian/postinst
  ${PROJECT_SOURCE_DIR}/conf/package/debian/prerm ${PROJECT_SOURCE_DIR}/conf/package/debian/postrm
  ${PROJECT_SOURCE_DIR}/conf/package/debian/conffiles)
# a tarball has no /etc
install(FILES conf/package/config.yaml DESTINATION /etc/mcp-reauth COMPONENT debian)
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_BINARY_DIR}/packages)
include(CPack)
