/* Texts as they are compared: white space folded, and case. */
#ifndef WL_DATA_FOLD_H
#define WL_DATA_FOLD_H

#include "base/memory.h"

/* Appends the text with each run of white space (str.isspace of Python: that of Unicode and the separators U+001C to
 * U+001F) as one space and none at the ends. Texts are well-formed UTF-8. Linear. */
wl_status wl_fold_spaces(wl_text text, wl_buffer *out, wl_error *error);
/* The same, and each character replaced by the full case folding of its upper case (Unicode's SpecialCasing and
 * CaseFolding, no language, no context): texts that differ in case alone are then equal, also where a letter has no
 * other case of one character: "STRASSE" and "straße", final and other sigma, micro sign and mu. */
wl_status wl_fold_case(wl_text text, wl_buffer *out, wl_error *error);

#endif
