#include "plot_axis.h"

#include <math.h>

enum { TICKS = 6, MANY_DECADES = 4, PARTS = 5, MOST_LOG_TICKS = 64 };

double plot_place(const plot_axis *on, double value)
{
    double low = on->low, high = on->high;
    if (on->log) low = log10(low), high = log10(high), value = log10(value);
    return on->begin + (on->end - on->begin) * (high > low ? (value - low) / (high - low) : 0.5);
}

/* 1, 2 or 5 times a power of ten, so that there are about so many steps. */
static double tick_step(double range, int ticks)
{
    double rough = range / ticks, power = pow(10, floor(log10(rough))), part = rough / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

void plot_put_styles(svg_picture *svg)
{
    svg_put(svg, "<style>.grid{stroke:#8b919d;stroke-opacity:.25}</style>\n");
}

void plot_put_tick_across(svg_picture *svg, double x, double bottom, double value)
{
    svg_put(svg, "<text class=\"quiet\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n", x, bottom + 18,
            value);
}

static void put_tick_up(svg_picture *svg, const plot_axis *across, double y, double value)
{
    svg_put(svg, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", across->begin, y, across->end);
    svg_put(svg, "<text class=\"quiet\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", across->begin - 8,
            y + 4, value);
}

/* Multiples of a step that lie on an axis: the first one, and how many. */
typedef struct tick_range {
    double step, first;
    int count;
} tick_range;

static tick_range find_ticks(const plot_axis *on)
{
    tick_range ticks = {.step = tick_step(on->high - on->low, TICKS)};
    ticks.first = ceil(on->low / ticks.step - 1e-9) + 0.0; /* never -0 */
    ticks.count = (int)floor(on->high / ticks.step - ticks.first + 1e-9) + 1;
    return ticks;
}

/* Over a few decades 1, 2 and 5 of each, in one also 3 and 7. */
static int find_log_ticks(const plot_axis *on, double *out)
{
    static const int parts[PARTS] = {1, 2, 5, 3, 7};
    int most = on->high > on->low * pow(10, MANY_DECADES) ? 1 : on->high > on->low * 10 ? 3 : PARTS, count = 0;
    int first = (int)floor(log10(on->low)), last = (int)ceil(log10(on->high));
    for (int power = first; power <= last; power++)
        for (int i = 0; i < most && count < MOST_LOG_TICKS; i++) {
            double value = parts[i] * pow(10, power);
            if (value >= on->low && value <= on->high) out[count++] = value;
        }
    return count;
}

void plot_put_ticks_across(svg_picture *svg, const plot_axis *across, double bottom)
{
    if (across->log) {
        double values[MOST_LOG_TICKS];
        int count = find_log_ticks(across, values);
        for (int i = 0; i < count; i++) plot_put_tick_across(svg, plot_place(across, values[i]), bottom, values[i]);
        return;
    }
    tick_range ticks = find_ticks(across);
    for (int i = 0; i < ticks.count; i++) {
        double value = (ticks.first + i) * ticks.step;
        plot_put_tick_across(svg, plot_place(across, value), bottom, value);
    }
}

void plot_put_ticks_up(svg_picture *svg, const plot_axis *across, const plot_axis *up)
{
    if (!up->log) {
        tick_range ticks = find_ticks(up);
        for (int i = 0; i < ticks.count; i++) {
            double value = (ticks.first + i) * ticks.step;
            put_tick_up(svg, across, plot_place(up, value), value);
        }
        return;
    }
    double values[MOST_LOG_TICKS];
    int count = find_log_ticks(up, values);
    for (int i = 0; i < count; i++) put_tick_up(svg, across, plot_place(up, values[i]), values[i]);
}
