/* A codebook as a picture: on the left how many rows have which length, on the right the singular values and how much
 * of the variance the leading ones hold. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "plot.h"
#include "plot_axis.h"
#include "svg.h"

/* The two panels, in pixels. */
enum { WIDTH = 1080, HEIGHT = 520, TOP = 84, PANEL_WIDTH = 504, PANEL_HEIGHT = 412, FIRST = 24, SECOND = 552 };
/* The axes' room inside a panel. */
enum { AXIS_LEFT = 64, AXIS_RIGHT = 24, AXIS_TOP = 52, AXIS_BOTTOM = 52, SECOND_AXIS = 52 };
enum { BINS = 56, CURVE_POINTS = 400 };

enum { BLUE, ORANGE }; /* colours of svg_colour_of */

static void begin_panel(svg_picture *svg, double left, const char *title)
{
    svg_put(svg, "<rect class=\"panel\" x=\"%g\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"10\"/>\n", left, TOP,
            PANEL_WIDTH, PANEL_HEIGHT);
    svg_put(svg, "<text class=\"ink\" x=\"%g\" y=\"%d\" font-size=\"14\" font-weight=\"600\">%s</text>\n", left + 20,
            TOP + 28, title);
    svg_put(svg, "<g font-size=\"11\">\n");
}

static void put_axis_name(svg_picture *svg, const plot_axis *across, const char *name)
{
    svg_put(svg, "<text class=\"quiet\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
            (across->begin + across->end) / 2, TOP + PANEL_HEIGHT - 14, name);
}

/* ---- norms ------------------------------------------------------------------------------------------------------- */

/* A few rows that are much longer than the others do not press them together: they count to the last bin. */
static double longest_shown(const wl_inspection *found)
{
    double most = found->norm_quantiles[WL_NORM_QUANTILES - 1], usual = found->norm_quantiles[WL_NORM_QUANTILES - 2];
    return most > 2 * usual && usual > 0 ? 1.5 * usual : most;
}

static void put_norms(svg_picture *svg, const wl_inspection *found, const wl_codebook_shape *shape)
{
    double high = longest_shown(found), low = fmin(found->norm_quantiles[0], high);
    if (!(high > low)) high = low + 1;
    size_t bins[BINS] = {0}, most = 1, beyond = 0;
    for (size_t i = 0; i < shape->rows; i++) {
        double norm = (double)found->norms[i];
        size_t bin = (size_t)fmin((norm - low) / (high - low) * BINS, BINS - 1);
        beyond += norm > high;
        if (++bins[bin] > most) most = bins[bin];
    }
    plot_axis across = {low, high, FIRST + AXIS_LEFT, FIRST + PANEL_WIDTH - AXIS_RIGHT, false};
    plot_axis up = {0, (double)most * 1.05, TOP + PANEL_HEIGHT - AXIS_BOTTOM, TOP + AXIS_TOP, false};
    begin_panel(svg, FIRST, "Row norms");
    plot_put_ticks_across(svg, &across, up.begin);
    plot_put_ticks_up(svg, &across, &up);
    svg_colour blue = svg_colour_of(BLUE), orange = svg_colour_of(ORANGE);
    svg_put(svg, "<g fill=\"#%02x%02x%02x\">\n", blue.red, blue.green, blue.blue);
    double width = (across.end - across.begin) / BINS;
    for (size_t i = 0; i < BINS; i++) {
        double y = plot_place(&up, (double)bins[i]), from = low + (high - low) * (double)i / BINS;
        if (!bins[i]) continue;
        svg_put(svg, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"><title>%zu rows from %.4g to %.4g",
                across.begin + width * (double)i, y, width - 0.8, fmax(up.begin - y, 0.6), bins[i], from,
                from + (high - low) / BINS);
        svg_put(svg, "%s</title></rect>\n", i + 1 == BINS && beyond ? " and beyond" : "");
    }
    double median = plot_place(&across, found->norm_quantiles[WL_NORM_QUANTILES / 2]);
    svg_put(
        svg,
        "</g>\n<path d=\"M%.1f %.1fV%.1f\" stroke=\"#%02x%02x%02x\" stroke-width=\"1.5\" stroke-dasharray=\"4 3\"/>\n",
        median, up.begin, up.end, orange.red, orange.green, orange.blue);
    svg_put(svg, "<text class=\"quiet\" x=\"%d\" y=\"%d\" text-anchor=\"end\">median %.4g</text>\n",
            FIRST + PANEL_WIDTH - AXIS_RIGHT, TOP + 28, found->norm_quantiles[WL_NORM_QUANTILES / 2]);
    if (beyond)
        svg_put(svg,
                "<text class=\"quiet\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%zu row%s beyond %.4g, up to %.4g, in the "
                "last bar</text>\n",
                FIRST + PANEL_WIDTH - AXIS_RIGHT, TOP + 44, beyond, beyond == 1 ? "" : "s", high,
                found->norm_quantiles[WL_NORM_QUANTILES - 1]);
    put_axis_name(svg, &across, "length of the row");
    svg_put(svg, "</g>\n");
}

/* ---- spectrum ---------------------------------------------------------------------------------------------------- */

static void put_curve(svg_picture *svg, const plot_axis *across, const plot_axis *up, const double *values,
                      size_t count, int colour_number)
{
    svg_colour colour = svg_colour_of((size_t)colour_number);
    svg_put(svg, "<path fill=\"none\" stroke=\"#%02x%02x%02x\" stroke-width=\"2\" stroke-linejoin=\"round\" d=\"",
            colour.red, colour.green, colour.blue);
    size_t points = count < CURVE_POINTS ? count : CURVE_POINTS;
    for (size_t i = 0; i < points; i++) {
        size_t at = points > 1 ? i * (count - 1) / (points - 1) : 0;
        svg_put(svg, "%c%.1f %.1f", i ? 'L' : 'M', plot_place(across, (double)(at + 1)),
                plot_place(up, fmin(fmax(values[at], up->low), up->high)));
    }
    svg_put(svg, "\"/>\n");
}

static void put_legend(svg_picture *svg, double x, int colour_number, const char *text)
{
    svg_colour colour = svg_colour_of((size_t)colour_number);
    svg_put(svg, "<rect x=\"%.1f\" y=\"%d\" width=\"14\" height=\"3\" fill=\"#%02x%02x%02x\"/>", x, TOP + 23,
            colour.red, colour.green, colour.blue);
    svg_put(svg, "<text class=\"quiet\" x=\"%.1f\" y=\"%d\">%s</text>\n", x + 20, TOP + 28, text);
}

static wl_status put_spectrum(svg_picture *svg, const wl_inspection *found, wl_error *error)
{
    size_t count = found->singular_count, shown = 0;
    double *shares = wl_allocate(count, sizeof *shares, error), sum = 0;
    if (!shares) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        double value = found->singular[i];
        sum += value * value;
        shares[i] = found->energy > 0 ? 100 * sum / found->energy : 0;
        if (value > found->singular[0] * 1e-6) shown = i + 1; /* less is rounding */
    }
    plot_axis across = {1, shown > 1 ? (double)shown : 2, SECOND + AXIS_LEFT, SECOND + PANEL_WIDTH - SECOND_AXIS,
                        false};
    plot_axis up = {0.1, 1, TOP + PANEL_HEIGHT - AXIS_BOTTOM, TOP + AXIS_TOP, true};
    if (shown) up.high = found->singular[0] * 1.1, up.low = found->singular[shown - 1] / 1.1;
    plot_axis part = {0, 100, up.begin, up.end, false};
    begin_panel(svg, SECOND, "Spectrum");
    plot_put_ticks_across(svg, &across, up.begin);
    plot_put_ticks_up(svg, &across, &up);
    for (int i = 0; i <= 100; i += 25)
        svg_put(svg, "<text class=\"quiet\" x=\"%.1f\" y=\"%.1f\">%d%%</text>\n", across.end + 8,
                plot_place(&part, i) + 4, i);
    put_curve(svg, &across, &part, shares, shown, ORANGE);
    put_curve(svg, &across, &up, found->singular, shown, BLUE);
    put_legend(svg, SECOND + 190, BLUE, "singular values");
    put_legend(svg, SECOND + 318, ORANGE, "part of the variance");
    put_axis_name(svg, &across, "principal component");
    svg_put(svg, "</g>\n");
    free(shares);
    return WL_OK;
}

static void put_heading(svg_picture *svg, const wl_inspection *found, const wl_codebook_shape *shape, wl_error *error)
{
    char title[128];
    snprintf(title, sizeof title, "Codebook of %" PRIu64 " x %" PRIu64 ", %s", shape->rows, shape->dim, shape->dtype);
    svg_begin(svg, WIDTH, HEIGHT, title, error);
    plot_put_styles(svg);
    svg_put(svg, "<text class=\"quiet\" x=\"24\" y=\"62\" font-size=\"12.5\">Effective rank %.0f",
            found->effective_rank.low);
    if (found->effective_rank.high > found->effective_rank.low * 1.001)
        svg_put(svg, " to %.0f", found->effective_rank.high);
    svg_put(svg, ", mean cosine of two rows %.3f, isotropy %.3f, %zu rows near zero", found->cosine, found->partition,
            found->small_count);
    if (!found->exact) svg_put(svg, "; the largest %zu singular values", found->singular_count);
    svg_put(svg, "</text>\n");
}

wl_status plot_codebook(const char *path, const wl_inspection *found, const wl_codebook_shape *shape, wl_error *error)
{
    svg_picture svg;
    put_heading(&svg, found, shape, error);
    put_norms(&svg, found, shape);
    wl_status status = put_spectrum(&svg, found, error);
    if (!status) return svg_end(&svg, path);
    wl_buffer_free(&svg.out);
    return status;
}
