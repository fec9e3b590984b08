/* Axes of a diagram: from numbers to pixels, and the ticks with their numbers. */
#ifndef WL_CLI_PLOT_AXIS_H
#define WL_CLI_PLOT_AXIS_H

#include "svg.h"

typedef struct plot_axis {
    double low, high;
    double begin, end; /* pixels of low and high */
    bool log;
} plot_axis;

/* The pixel of a number. */
double plot_place(const plot_axis *on, double value);

/* Styles that ticks need: once in a picture, before them. */
void plot_put_styles(svg_picture *svg);
/* Numbers below the axis across, which may be logarithmic; bottom: pixel of the axis. */
void plot_put_ticks_across(svg_picture *svg, const plot_axis *across, double bottom);
/* One of them. */
void plot_put_tick_across(svg_picture *svg, double x, double bottom, double value);
/* Lines over the panel and numbers at their left; the axis up may be logarithmic. */
void plot_put_ticks_up(svg_picture *svg, const plot_axis *across, const plot_axis *up);

#endif
