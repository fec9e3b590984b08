/* A picture being written as SVG: self-contained, on light and on dark ground. Failures are kept in *error, so that
 * only the end is checked. */
#ifndef WL_CLI_SVG_H
#define WL_CLI_SVG_H

#include "base/memory.h"

typedef struct svg_picture {
    wl_buffer out;
    wl_error *error;
    bool failed;
} svg_picture;

/* Classes for what is drawn: paper, panel, ink, quiet (text of less weight). Sizes are in pixels. */
void svg_begin(svg_picture *picture, double width, double height, const char *title, wl_error *error);
/* Markup as it stands, at most 1000 bytes. */
void svg_put(svg_picture *picture, const char *format, ...) WL_PRINTF(2, 3);
/* Text inside an element: escaped, on one line, cut behind so many columns; wide characters take two. */
void svg_put_text(svg_picture *picture, wl_text text, size_t columns);
/* Completes the picture and writes it to a file, which appears when it is complete. Frees the picture. */
wl_status svg_end(svg_picture *picture, const char *path);

/* A colour that differs from those of the other numbers and shows on both grounds. */
typedef struct svg_colour {
    unsigned red, green, blue;
} svg_colour;
svg_colour svg_colour_of(size_t number);

#endif
