# The configs of codebooks become part of the library: a C table of the JSON files in configs/, sorted by name.
file(GLOB config_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/configs/*.json)
list(SORT config_files)
set(config_rows "")
set(config_names "")
foreach(file ${config_files})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n     \"" text "${text}")
  string(APPEND config_rows "    {\"${name}\",\n     \"${text}\"},\n")
  string(APPEND config_names "    \"${name}\",\n")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/config_texts.c CONTENT "/* Made of the folder configs by cmake/configs.cmake. */
#include \"extract/config.h\"

const wl_config_text wl_config_texts[] = {
${config_rows}    {0},
};

const char *const wl_config_names[] = {
${config_names}    0,
};
" @ONLY)
