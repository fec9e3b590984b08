# The English stop words become part of the library: a C table of the lines of data/stopwords-en.txt.
set(stop_words_file ${CMAKE_CURRENT_SOURCE_DIR}/data/stopwords-en.txt)
file(STRINGS ${stop_words_file} stop_words)
list(TRANSFORM stop_words REPLACE "(.+)" "    \"\\1\",")
list(JOIN stop_words "\n" stop_word_rows)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${stop_words_file})
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/stop_words.c CONTENT "/* Made of data/stopwords-en.txt by cmake/stop_words.cmake. */
#include \"train/stop_words.h\"

const char *const wl_stop_words[] = {
${stop_word_rows}
    0,
};
" @ONLY)
