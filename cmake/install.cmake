# Headers, libraries, commands, manual pages, pkg-config and CMake package files.
install(FILES include/wordllama.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS wordllama wordllama_shared EXPORT wordllama)
if(WORDLLAMA_TRAIN)
  # The second library is linked into wordllama-train; its header is installed with it once it has users of its own.
  install(FILES include/wordllama_train.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(TARGETS wordllama_train wordllama_data EXPORT wordllama_train)
endif()
install(EXPORT wordllama NAMESPACE wordllama:: FILE wordllama-targets.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/wordllama)
if(WORDLLAMA_TRAIN)
  install(EXPORT wordllama_train NAMESPACE wordllama:: FILE wordllama-train-targets.cmake
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/wordllama)
endif()
configure_package_config_file(cmake/wordllama-config.cmake.in ${CMAKE_BINARY_DIR}/wordllama-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/wordllama)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/wordllama-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/wordllama-config.cmake ${CMAKE_BINARY_DIR}/wordllama-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/wordllama)
configure_file(cmake/wordllama.pc.in ${CMAKE_BINARY_DIR}/wordllama.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/wordllama.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
# The models that are part of the project, the first of them the default.
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/wordllama/models)

if(WORDLLAMA_CLI)
  install(TARGETS ${commands})
  # Manual pages come out of the command's own table of flags, so they cannot differ from --help.
  set(pages "")
  foreach(verb "" embed similarity explain rank topk filter dedup cluster split tokenize detokenize convert info pull
          extract configs concat codebook reduce eval prepare classify vocab targets average train)
    string(REGEX REPLACE "-$" "" page "wordllama-${verb}")
    set(output ${CMAKE_BINARY_DIR}/man/${page}.1)
    add_custom_command(OUTPUT ${output} COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/man
                       COMMAND wordllama_cli ${verb} --man > ${output} DEPENDS wordllama_cli VERBATIM)
    list(APPEND pages ${output})
  endforeach()
  if(NOT CMAKE_CROSSCOMPILING)
    add_custom_target(manual ALL DEPENDS ${pages})
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  endif()
endif()
