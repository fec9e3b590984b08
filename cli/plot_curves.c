/* A run as a picture: on the left the loss of each step and its moving average, on the right the scores on the way, a
 * line for each dimension. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "format/json.h"
#include "plot.h"
#include "plot_axis.h"
#include "svg.h"

enum { WIDTH = 1080, HEIGHT = 480, TOP = 64, PANEL_WIDTH = 504, PANEL_HEIGHT = 392, FIRST = 24, SECOND = 552 };
enum { AXIS_LEFT = 60, AXIS_RIGHT = 24, AXIS_TOP = 24, AXIS_BOTTOM = 52, LIST = 96 };
enum { MOST_LINES = 16, POINTS = 800, SMOOTHED = 50 };

typedef struct curve_point {
    double step, value;
} curve_point;

typedef struct curve {
    char name[32];
    curve_point *points;
    size_t count, capacity;
} curve;

typedef struct curves {
    curve loss, lines[MOST_LINES];
    size_t line_count;
    wl_buffer scratch;
} curves;

/* ---- the log ----------------------------------------------------------------------------------------------------- */

static wl_status add_point(curve *to, double step, double value, wl_error *error)
{
    void *points = to->points;
    wl_status status = wl_reserve(&points, &to->capacity, to->count + 1, sizeof *to->points, error);
    to->points = points;
    if (!status) to->points[to->count++] = (curve_point){step, value};
    return status;
}

static double read_number(wl_json *json)
{
    char number[64] = "";
    if (wl_json_null(json)) return NAN;
    wl_text text = wl_json_number(json);
    if (text.size < sizeof number) memcpy(number, text.data, text.size);
    return strtod(number, NULL);
}

static curve *find_line(curves *all, wl_text name)
{
    for (size_t i = 0; i < all->line_count; i++)
        if (wl_text_is(name, all->lines[i].name)) return &all->lines[i];
    if (all->line_count == MOST_LINES || name.size >= sizeof all->lines->name) return NULL;
    curve *line = &all->lines[all->line_count++];
    memcpy(line->name, name.data, name.size);
    return line;
}

/* {"sts/stsb-dev": {"256": 80.1, "64 bits": ...}}: the mean over the sets. */
static wl_status read_scores(curves *all, wl_json *json, double step, wl_error *error)
{
    double sums[MOST_LINES] = {0};
    size_t counts[MOST_LINES] = {0};
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        wl_json_begin_object(json);
        while (wl_json_member(json, &key)) {
            curve *line = find_line(all, key);
            double value = read_number(json);
            if (!line || !isfinite(value)) continue;
            sums[line - all->lines] += value;
            counts[line - all->lines]++;
        }
    }
    for (size_t i = 0; i < all->line_count; i++)
        if (counts[i] && add_point(&all->lines[i], step, sums[i] / (double)counts[i], error)) return error->code;
    return WL_OK;
}

static wl_status read_line(curves *all, wl_text line, const char *path, wl_error *error)
{
    wl_json json;
    wl_text key;
    double step = 0;
    wl_status status = WL_OK;
    wl_json_open(&json, line.data, line.size, path, &all->scratch, error);
    wl_json_begin_object(&json);
    while (!status && wl_json_member(&json, &key)) {
        if (wl_text_is(key, "step"))
            step = read_number(&json);
        else if (wl_text_is(key, "loss"))
            status = add_point(&all->loss, step, read_number(&json), error);
        else if (wl_text_is(key, "sets"))
            status = read_scores(all, &json, step, error);
        else
            wl_json_skip(&json);
    }
    return status ? status : wl_json_close(&json);
}

static wl_status read_log(curves *all, const char *path, wl_error *error)
{
    wl_mapping mapping;
    if (wl_mapping_open(&mapping, path, error)) return error->code;
    wl_status status = WL_OK;
    for (size_t at = 0; at < mapping.size && !status;) {
        const char *begin = mapping.data + at, *end = memchr(begin, '\n', mapping.size - at);
        if (!end) break;
        status = read_line(all, (wl_text){begin, (size_t)(end - begin)}, path, error);
        at += (size_t)(end - begin) + 1;
    }
    wl_mapping_close(&mapping);
    return status;
}

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

typedef struct panel {
    plot_axis across, up;
} panel;

static void widen(double range[2], double value)
{
    range[0] = fmin(range[0], value);
    range[1] = fmax(range[1], value);
}

/* Axes that hold all points of the curves. */
static panel begin_panel(svg_picture *svg, double left, const char *title, const curve *shown, size_t count,
                         double right)
{
    double steps[2] = {INFINITY, -INFINITY}, values[2] = {INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < shown[i].count; j++) {
            widen(steps, shown[i].points[j].step);
            if (isfinite(shown[i].points[j].value)) widen(values, shown[i].points[j].value);
        }
    if (!(steps[1] > steps[0])) steps[0] = isfinite(steps[0]) ? steps[0] - 1 : 0, steps[1] = steps[0] + 2;
    if (!(values[0] <= values[1])) values[0] = 0, values[1] = 1;
    double room = fmax(0.06 * (values[1] - values[0]), 1e-6);
    panel of = {
        {steps[0], steps[1], left + AXIS_LEFT, left + PANEL_WIDTH - right, false},
        {values[0] - room, values[1] + room, TOP + PANEL_HEIGHT - AXIS_BOTTOM, TOP + AXIS_TOP + 24, false},
    };
    svg_put(svg, "<rect class=\"panel\" x=\"%g\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"10\"/>\n", left, TOP,
            PANEL_WIDTH, PANEL_HEIGHT);
    svg_put(svg, "<text class=\"ink\" x=\"%g\" y=\"%d\" font-size=\"14\" font-weight=\"600\">%s</text>\n", left + 20,
            TOP + 28, title);
    svg_put(svg, "<g font-size=\"11\">\n");
    plot_put_ticks_across(svg, &of.across, of.up.begin);
    plot_put_ticks_up(svg, &of.across, &of.up);
    svg_put(svg, "<text class=\"quiet\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">step</text>\n</g>\n",
            (of.across.begin + of.across.end) / 2, TOP + PANEL_HEIGHT - 14);
    return of;
}

/* At most POINTS of them, each the mean of what it stands for. */
static void put_curve(svg_picture *svg, const panel *on, const curve *of, const char *style)
{
    size_t each = 1 + of->count / POINTS;
    bool first = true;
    svg_put(svg, "<path fill=\"none\" stroke-linejoin=\"round\" %s d=\"", style);
    for (size_t i = 0; i < of->count; i += each) {
        double sum = 0, step = 0;
        size_t count = of->count - i < each ? of->count - i : each;
        for (size_t j = i; j < i + count; j++) sum += of->points[j].value, step += of->points[j].step;
        svg_put(svg, "%c%.1f %.1f", first ? 'M' : 'L', plot_place(&on->across, step / (double)count),
                plot_place(&on->up, sum / (double)count));
        first = false;
    }
    svg_put(svg, "\"/>\n");
}

static wl_status draw_loss(svg_picture *svg, const curves *all, wl_error *error)
{
    const curve *loss = &all->loss;
    panel on = begin_panel(svg, FIRST, "Loss", loss, 1, AXIS_RIGHT);
    curve smooth = {0};
    double average = 0, weight = 0, keep = 1 - 1.0 / SMOOTHED;
    for (size_t i = 0; i < loss->count; i++) {
        average = keep * average + (1 - keep) * loss->points[i].value;
        weight = keep * weight + (1 - keep);
        if (add_point(&smooth, loss->points[i].step, average / weight, error)) {
            free(smooth.points);
            return error->code;
        }
    }
    put_curve(svg, &on, loss, "stroke=\"#8b919d\" stroke-opacity=\".45\" stroke-width=\"1\"");
    put_curve(svg, &on, &smooth, "stroke=\"#3b82f6\" stroke-width=\"2\"");
    free(smooth.points);
    return WL_OK;
}

static void draw_scores(svg_picture *svg, const curves *all)
{
    panel on = begin_panel(svg, SECOND, "Scores", all->lines, all->line_count, LIST);
    for (size_t i = 0; i < all->line_count; i++) {
        const curve *line = &all->lines[i];
        svg_colour colour = svg_colour_of(i);
        char style[96];
        double y = TOP + AXIS_TOP + 30 + 20 * (double)i;
        snprintf(style, sizeof style, "stroke=\"#%02x%02x%02x\" stroke-width=\"2\"%s", colour.red & 255,
                 colour.green & 255, colour.blue & 255, strstr(line->name, "bits") ? " stroke-dasharray=\"6 4\"" : "");
        put_curve(svg, &on, line, style);
        for (size_t j = 0; j < line->count; j++)
            svg_put(svg,
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"#%02x%02x%02x\"><title>%s, step %.0f: %.2f"
                    "</title></circle>\n",
                    plot_place(&on.across, line->points[j].step), plot_place(&on.up, line->points[j].value),
                    colour.red & 255, colour.green & 255, colour.blue & 255, line->name, line->points[j].step,
                    line->points[j].value);
        svg_put(svg,
                "<path %s d=\"M%d %.1fh16\"/><text class=\"quiet\" x=\"%d\" y=\"%.1f\" font-size=\"12\">%s</text>\n",
                style, SECOND + PANEL_WIDTH - LIST + 10, y - 4, SECOND + PANEL_WIDTH - LIST + 31, y, line->name);
    }
}

wl_status plot_curves(const char *path, const char *log, wl_error *error)
{
    curves all = {0};
    svg_picture svg;
    wl_status status = read_log(&all, log, error);
    if (!status) {
        svg_begin(&svg, WIDTH, HEIGHT, "Training", error);
        plot_put_styles(&svg);
        wl_error of_loss;
        status = draw_loss(&svg, &all, &of_loss);
        draw_scores(&svg, &all);
        wl_status written = svg_end(&svg, path);
        if (status) *error = of_loss;
        if (!status) status = written;
    }
    free(all.loss.points);
    for (size_t i = 0; i < all.line_count; i++) free(all.lines[i].points);
    wl_buffer_free(&all.scratch);
    return status;
}
