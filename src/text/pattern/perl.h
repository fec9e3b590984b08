/* Any other regular expression, by PCRE2, where the library was built with it (-DWORDLLAMA_PCRE2=ON). */
#ifndef WL_TEXT_PATTERN_PERL_H
#define WL_TEXT_PATTERN_PERL_H

#include "base/memory.h"

/* Translates the expression from Oniguruma's syntax and compiles it. What has no exact translation is
 * WL_ERROR_UNSUPPORTED, as is all without PCRE2. Free with wl_perl_free. */
wl_status wl_perl_open(void **perl, const char *expression, size_t size, wl_error *error);
void wl_perl_free(void *perl);

/* The next match at or after `at`, perhaps empty. Too much backtracking is WL_ERROR_LIMIT. expression: for errors. */
wl_status wl_perl_find(void *perl, const char *expression, const char *text, size_t size, size_t at, bool *found,
                       size_t *begin, size_t *end, wl_error *error);

#endif
