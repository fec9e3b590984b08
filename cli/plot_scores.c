/* Scores as a picture: for each model the mean of the groups against the size of a vector, as floats and as bits, or
 * against the texts that it embedded a second. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "plot_axis.h"
#include "report_parts.h"

/* The panel and the list of models beside it, in pixels. */
enum { WIDTH = 960, HEIGHT = 540, LEFT = 24, TOP = 84, PANEL_WIDTH = 664, PANEL_HEIGHT = 432 };
enum { AXIS_LEFT = 56, AXIS_RIGHT = 24, AXIS_TOP = 28, AXIS_BOTTOM = 52 };
enum { LIST = LEFT + PANEL_WIDTH + 24, SWATCH = 24, ROW = 24, MOST_ROWS = (PANEL_HEIGHT - 60) / ROW, MOST_TICKS = 12 };

typedef struct score_point {
    wl_variant variant;
    double across, score;
} score_point;

typedef struct score_picture {
    const cli_report *report;
    bool by_speed;
    svg_picture svg;
    score_point *points; /* those of one line at a time */
    plot_axis across, up;
    bool has_bits;
} score_picture;

static int from_left(const void *a, const void *b)
{
    const score_point *x = a, *y = b;
    if (x->across != y->across) return x->across < y->across ? -1 : 1;
    return (x->score > y->score) - (x->score < y->score);
}

/* The points of a line, from left to right; variants without a score have none. */
static size_t take_points(score_picture *picture, size_t model, bool binary)
{
    const wl_evaluation *evaluation = picture->report->evaluations[model];
    size_t count = 0;
    for (size_t i = 0; i < wl_evaluation_variants(evaluation); i++) {
        wl_variant variant = wl_evaluation_variant(evaluation, i);
        double score = 100 * wl_evaluation_mean(evaluation, NULL, i);
        if (variant.binary != binary || isnan(score)) continue;
        double across = picture->by_speed ? picture->report->speeds[model] / 1000 : (double)report_bytes(variant);
        picture->points[count++] = (score_point){variant, across, score};
    }
    qsort(picture->points, count, sizeof *picture->points, from_left);
    return count;
}

/* Axes around all points, with some room on each side. */
static void find_axes(score_picture *picture)
{
    double across[2] = {INFINITY, 0}, scores[2] = {INFINITY, -INFINITY};
    for (size_t model = 0; model < picture->report->models; model++)
        for (int binary = 0; binary < 2; binary++) {
            size_t count = take_points(picture, model, binary);
            picture->has_bits |= binary && count;
            for (size_t i = 0; i < count; i++) {
                across[0] = fmin(across[0], picture->points[i].across);
                across[1] = fmax(across[1], picture->points[i].across);
                scores[0] = fmin(scores[0], picture->points[i].score);
                scores[1] = fmax(scores[1], picture->points[i].score);
            }
        }
    if (!(across[1] > 0)) across[0] = across[1] = picture->by_speed ? 1000 : 1024, scores[0] = 0, scores[1] = 100;
    double room = fmax(0.1 * (scores[1] - scores[0]), 0.5), part = across[1] > across[0] ? 1.3 : 2.2;
    picture->across =
        (plot_axis){across[0] / part, across[1] * part, LEFT + AXIS_LEFT, LEFT + PANEL_WIDTH - AXIS_RIGHT, true};
    /* No score is above 100. */
    picture->up = (plot_axis){scores[0] - room, fmax(scores[1], fmin(scores[1] + room, 100)),
                              TOP + PANEL_HEIGHT - AXIS_BOTTOM, TOP + AXIS_TOP, false};
}

static void put_powers_of_two(score_picture *picture)
{
    const plot_axis *across = &picture->across;
    int first = (int)ceil(log2(across->low)), last = (int)floor(log2(across->high));
    int step = 1 + (last - first) / MOST_TICKS;
    for (int power = first; power <= last; power += step)
        plot_put_tick_across(&picture->svg, plot_place(across, exp2(power)), picture->up.begin, exp2(power));
}

static void put_axes(score_picture *picture)
{
    svg_picture *svg = &picture->svg;
    const plot_axis *across = &picture->across;
    svg_put(svg,
            "<rect class=\"panel\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"10\"/>\n<g font-size=\"11\">\n",
            LEFT, TOP, PANEL_WIDTH, PANEL_HEIGHT);
    if (picture->by_speed)
        plot_put_ticks_across(svg, across, picture->up.begin);
    else
        put_powers_of_two(picture);
    plot_put_ticks_up(svg, across, &picture->up);
    svg_put(svg, "<text class=\"quiet\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n</g>\n",
            (across->begin + across->end) / 2, TOP + PANEL_HEIGHT - 14,
            picture->by_speed ? "thousand texts a second" : "bytes of a vector");
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void put_point(score_picture *picture, size_t model, const score_point *point)
{
    svg_picture *svg = &picture->svg;
    svg_colour colour = svg_colour_of(model);
    svg_put(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" stroke=\"#%02x%02x%02x\" stroke-width=\"2\" ",
            plot_place(&picture->across, point->across), plot_place(&picture->up, point->score), colour.red,
            colour.green, colour.blue);
    if (point->variant.binary)
        svg_put(svg, "class=\"panel\"><title>");
    else
        svg_put(svg, "fill=\"#%02x%02x%02x\"><title>", colour.red, colour.green, colour.blue);
    svg_put_text(svg, report_name(picture->report, model), TOOLTIP);
    svg_put(svg, ", %u %s, %.0f %s: %.4f</title></circle>\n", (unsigned)point->variant.dim,
            point->variant.binary ? "bits" : "dimensions", point->across,
            picture->by_speed ? "thousand texts a second" : "bytes", point->score);
}

static void put_line(score_picture *picture, size_t model, bool binary)
{
    svg_picture *svg = &picture->svg;
    svg_colour colour = svg_colour_of(model);
    size_t count = take_points(picture, model, binary);
    if (!count) return;
    svg_put(svg, "<path fill=\"none\" stroke=\"#%02x%02x%02x\" stroke-width=\"2\" stroke-linejoin=\"round\"%s d=\"M",
            colour.red, colour.green, colour.blue, binary ? " stroke-dasharray=\"6 4\"" : "");
    for (size_t i = 0; i < count; i++)
        svg_put(svg, "%s%.1f %.1f", i ? "L" : "", plot_place(&picture->across, picture->points[i].across),
                plot_place(&picture->up, picture->points[i].score));
    svg_put(svg, "\"/>\n");
    for (size_t i = 0; i < count; i++) put_point(picture, model, &picture->points[i]);
}

/* ---- the list of models ------------------------------------------------------------------------------------------ */

static void put_swatch(svg_picture *svg, double y, const char *stroke)
{
    svg_put(svg, "<path d=\"M%d %.1fh%d\" stroke-width=\"3\" %s/>", LIST, y, SWATCH, stroke);
}

static void put_list(score_picture *picture)
{
    svg_picture *svg = &picture->svg;
    size_t models = picture->report->models, rows = models <= MOST_ROWS ? models : MOST_ROWS - 1;
    for (size_t i = 0; i < rows; i++) {
        char stroke[32];
        svg_colour colour = svg_colour_of(i);
        double y = TOP + 16 + ROW * (double)i;
        snprintf(stroke, sizeof stroke, "stroke=\"#%02x%02x%02x\"", colour.red & 255, colour.green & 255,
                 colour.blue & 255);
        put_swatch(svg, y - 4, stroke);
        svg_put(svg, "<text class=\"ink\" x=\"%d\" y=\"%.0f\" font-size=\"13\">", LIST + SWATCH + 8, y);
        svg_put_text(svg, report_name(picture->report, i), (WIDTH - LEFT - LIST - SWATCH - 8) / 13.0);
        svg_put(svg, "</text>\n");
    }
    if (rows < models)
        svg_put(svg, "<text class=\"quiet\" x=\"%d\" y=\"%d\" font-size=\"12\">and %zu more</text>\n",
                LIST + SWATCH + 8, TOP + 16 + ROW * (int)rows, models - rows);
    if (!picture->has_bits) return;
    static const char *const kinds[] = {"floats", "bits"};
    for (int i = 0; i < 2; i++) {
        double y = TOP + PANEL_HEIGHT - 26 + 22 * i;
        put_swatch(svg, y - 4, i ? "stroke=\"#8b919d\" stroke-dasharray=\"6 4\"" : "stroke=\"#8b919d\"");
        svg_put(svg, "<text class=\"quiet\" x=\"%d\" y=\"%.0f\" font-size=\"12\">%s</text>\n", LIST + SWATCH + 8, y,
                kinds[i]);
    }
}

static wl_status put_heading(score_picture *picture, wl_error *error)
{
    size_t count, groups = 0, sets = wl_sets_count(picture->report->sets);
    report_line *lines = report_list_lines(picture->report->sets, &count, error);
    if (!lines) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) groups += lines[i].kind == REPORT_GROUP;
    free(lines);
    svg_begin(&picture->svg, WIDTH, HEIGHT,
              picture->by_speed ? "Scores by texts a second" : "Scores by size of the vectors", error);
    plot_put_styles(&picture->svg);
    svg_put(&picture->svg,
            "<text class=\"quiet\" x=\"24\" y=\"62\" font-size=\"12.5\">Mean of the groups: %zu set%s in "
            "%zu group%s</text>\n",
            sets, sets == 1 ? "" : "s", groups, groups == 1 ? "" : "s");
    return WL_OK;
}

wl_status plot_scores(const char *path, const cli_report *report, bool by_speed, wl_error *error)
{
    score_picture picture = {.report = report, .by_speed = by_speed};
    size_t most = 0;
    for (size_t i = 0; i < report->models; i++) {
        size_t variants = wl_evaluation_variants(report->evaluations[i]);
        if (variants > most) most = variants;
    }
    picture.points = wl_allocate(most, sizeof *picture.points, error);
    wl_status status = picture.points ? put_heading(&picture, error) : WL_ERROR_MEMORY;
    if (!status) {
        find_axes(&picture);
        put_axes(&picture);
        for (size_t i = report->models; i-- > 0;) { /* the first one on top */
            put_line(&picture, i, true);
            put_line(&picture, i, false);
        }
        put_list(&picture);
        status = svg_end(&picture.svg, path);
    }
    free(picture.points);
    return status;
}
