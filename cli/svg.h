/* A picture being written as SVG: self-contained, on light and on dark ground. Failures are kept in *error, so that
 * only the end is checked. */
#ifndef WL_CLI_SVG_H
#define WL_CLI_SVG_H

#include "base/memory.h"

enum { TOOLTIP = 80 }; /* ems shown of a text in a <title> */

typedef struct svg_picture {
    wl_buffer out;
    wl_error *error;
    bool failed;
} svg_picture;

/* Classes for what is drawn: paper, panel, ink, quiet (text of less weight). Sizes are in pixels. */
void svg_begin(svg_picture *picture, double width, double height, const char *title, wl_error *error);
/* Markup as it stands, at most 1000 bytes. */
void svg_put(svg_picture *picture, const char *format, ...) WL_PRINTF(2, 3);
/* Width of a text in ems, the size of its type, or most where it is wider: no less than with the usual fonts. */
double svg_text_width(wl_text text, double most);
/* Text inside an element: escaped, on one line, cut with an ellipsis where it is wider than so many ems. */
void svg_put_text(svg_picture *picture, wl_text text, double most);
/* Completes the picture and writes it to a file, which appears when it is complete. Frees the picture. */
wl_status svg_end(svg_picture *picture, const char *path);

/* A colour that differs from those of the other numbers and shows on both grounds. */
typedef struct svg_colour {
    unsigned red, green, blue;
} svg_colour;
svg_colour svg_colour_of(size_t number);

#endif
