/* Two expressions that group the digits of a number by threes from its end. */
#ifndef WL_TEXT_PATTERN_DIGITS_H
#define WL_TEXT_PATTERN_DIGITS_H

#include "text/pattern/pattern.h"

/* The scanner of the expression, NULL where it is none of them. */
wl_pattern_scan wl_digits_scan(const char *expression);

#endif
