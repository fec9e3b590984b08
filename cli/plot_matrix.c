/* Similarities as a picture: a square a pair, blue above 0 and orange below. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "plot.h"
#include "svg.h"

enum { LEFT = 24, TOP = 88, SIDE = 640, LABEL = 300, MOST_LABELS = 60, LEVELS = 64 };

typedef struct matrix_picture {
    svg_picture svg;
    const wl_text *texts;
    const float *scores;
    size_t count;
    double cell, left; /* size of a square and where they begin */
    double type;       /* size of the labels' */
    double low, high;  /* what the colours reach from and to */
} matrix_picture;

/* The colours are for what is there, but for the diagonal, where each text meets itself: from -x to x where some
 * numbers are below 0, else from the least to the largest. */
static void find_range(matrix_picture *picture)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < picture->count * picture->count; i++) {
        if (i % (picture->count + 1) == 0) continue;
        low = fmin(low, (double)picture->scores[i]);
        high = fmax(high, (double)picture->scores[i]);
    }
    if (low < 0) {
        high = fmax(high, -low);
        low = -high;
    } else if (!(high > low)) { /* one text, or one number */
        low = 0;
        if (!(high > 0)) high = 1;
    }
    picture->low = low;
    picture->high = high;
}

/* A level from -LEVELS or 0 to LEVELS. */
static int level_of(const matrix_picture *picture, float score)
{
    double zero = picture->low < 0 ? 0 : picture->low;
    double level = round(((double)score - zero) / (picture->high - zero) * LEVELS);
    return level < -LEVELS ? -LEVELS : level > LEVELS ? LEVELS : (int)level;
}

static svg_colour colour_of(int level)
{
    static const double blue[][3] = {{240, 242, 246}, {196, 214, 242}, {118, 162, 224}, {52, 104, 190}, {18, 48, 106}};
    static const double orange[][3] = {{240, 242, 246}, {248, 219, 188}, {240, 168, 98}, {208, 112, 30}, {128, 60, 6}};
    const double(*stops)[3] = level < 0 ? orange : blue;
    double place = fabs((double)level) / LEVELS * 4;
    int stop = place >= 4 ? 3 : (int)place;
    unsigned mixed[3];
    for (int i = 0; i < 3; i++)
        mixed[i] = (unsigned)lround(stops[stop][i] + (place - stop) * (stops[stop + 1][i] - stops[stop][i]));
    return (svg_colour){mixed[0], mixed[1], mixed[2]};
}

static void put_path(matrix_picture *picture, int level)
{
    bool begun = false;
    svg_colour colour = colour_of(level);
    for (size_t row = 0; row < picture->count; row++)
        for (size_t column = 0; column < picture->count; column++) {
            if (level_of(picture, picture->scores[row * picture->count + column]) != level) continue;
            if (!begun)
                svg_put(&picture->svg, "<path fill=\"#%02x%02x%02x\" d=\"", colour.red, colour.green, colour.blue);
            begun = true;
            svg_put(&picture->svg, "M%zu %zuh1v1h-1z", column, row);
        }
    if (begun) svg_put(&picture->svg, "\"/>\n");
}

static void put_numbers(matrix_picture *picture)
{
    svg_picture *svg = &picture->svg;
    for (size_t row = 0; row < picture->count; row++)
        for (size_t column = 0; column < picture->count; column++) {
            double score = (double)picture->scores[row * picture->count + column];
            int level = level_of(picture, picture->scores[row * picture->count + column]);
            svg_put(
                svg, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" text-anchor=\"middle\" fill=\"%s\">%.2f</text>\n",
                picture->left + picture->cell * ((double)column + 0.5), TOP + picture->cell * ((double)row + 0.5) + 4,
                abs(level) > 0.55 * LEVELS ? "#fff" : "#1d2129", fabs(score) < 0.005 ? 0 : score);
        }
}

static void put_labels(matrix_picture *picture)
{
    svg_picture *svg = &picture->svg;
    for (size_t i = 0; i < picture->count; i++) {
        double middle = picture->cell * ((double)i + 0.5), size = picture->type;
        svg_put(svg, "<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\" text-anchor=\"end\">",
                picture->left - 8, TOP + middle + size / 3, size);
        svg_put_text(svg, picture->texts[i], LABEL / size);
        svg_put(svg, "</text>\n");
    }
}

/* Over each row, its text where the pointer rests on it. */
static void put_tooltips(matrix_picture *picture)
{
    svg_picture *svg = &picture->svg;
    for (size_t i = 0; i < picture->count; i++) {
        svg_put(svg,
                "<rect x=\"%d\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"#fff\" fill-opacity=\"0\"><title>",
                LEFT, TOP + picture->cell * (double)i, picture->left - LEFT + picture->cell * (double)picture->count,
                picture->cell);
        svg_put_text(svg, picture->texts[i], TOOLTIP);
        svg_put(svg, "</title></rect>\n");
    }
}

/* What the colours mean, under the squares. */
static void put_scale(matrix_picture *picture, double top)
{
    enum { STOPS = 8, LENGTH = 256, TICKS = 2 };
    static const char *const anchors[] = {"start", "middle", "end"};
    svg_picture *svg = &picture->svg;
    double range = picture->high - picture->low;
    svg_put(svg, "<linearGradient id=\"scale\">");
    for (int i = 0; i <= STOPS; i++) {
        svg_colour colour = colour_of(level_of(picture, (float)(picture->low + range * i / STOPS)));
        svg_put(svg, "<stop offset=\"%g\" stop-color=\"#%02x%02x%02x\"/>", (double)i / STOPS, colour.red, colour.green,
                colour.blue);
    }
    svg_put(svg, "</linearGradient>\n<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"10\" fill=\"url(#scale)\"/>\n",
            picture->left, top, LENGTH);
    for (int i = 0; i <= TICKS; i++)
        svg_put(svg, "<text class=\"quiet\" x=\"%.1f\" y=\"%.1f\" font-size=\"11\" text-anchor=\"%s\">%.2f</text>\n",
                picture->left + LENGTH * i / (double)TICKS, top + 24, anchors[i], picture->low + range * i / TICKS);
}

/* Room for the widest label. */
static double label_width(const matrix_picture *picture)
{
    double widest = 0;
    for (size_t i = 0; i < picture->count; i++)
        widest = fmax(widest, svg_text_width(picture->texts[i], LABEL / picture->type));
    return widest * picture->type + 10;
}

static void put_heading(matrix_picture *picture, size_t total)
{
    svg_picture *svg = &picture->svg;
    svg_put(svg, "<text class=\"quiet\" x=\"24\" y=\"58\" font-size=\"12\">");
    if (picture->count < total) svg_put(svg, "%zu of them are drawn. ", picture->count);
    svg_put(svg, "Rows and columns are in the order of the input.</text>\n");
    svg_put(svg,
            "<text class=\"quiet\" x=\"24\" y=\"74\" font-size=\"12\">Colours are scaled to the numbers outside the "
            "diagonal: from %.2f to %.2f.</text>\n",
            picture->low, picture->high);
}

wl_status plot_matrix(const char *path, const wl_text *texts, const float *scores, size_t count, size_t total,
                      wl_error *error)
{
    matrix_picture picture = {.texts = texts, .scores = scores, .count = count};
    bool labelled = count <= MOST_LABELS;
    char title[128];
    picture.cell = fmin(56, (double)SIDE / (double)count);
    picture.type = fmin(13, picture.cell);
    picture.left = LEFT + (labelled ? label_width(&picture) : 0);
    find_range(&picture);
    double side = picture.cell * (double)count, bottom = TOP + side;
    snprintf(title, sizeof title, "Similarity of %zu text%s", total, total == 1 ? "" : "s");
    svg_begin(&picture.svg, fmax(picture.left + fmax(side, 256), 540) + 24, bottom + 64, title, error);
    put_heading(&picture, total);
    svg_put(&picture.svg, "<g transform=\"translate(%g %d) scale(%g)\" shape-rendering=\"crispEdges\">\n", picture.left,
            TOP, picture.cell);
    for (int level = -LEVELS; level <= LEVELS; level++) put_path(&picture, level);
    svg_put(&picture.svg, "</g>\n");
    if (labelled) put_labels(&picture);
    if (picture.cell >= 34) put_numbers(&picture);
    put_scale(&picture, bottom + 20);
    put_tooltips(&picture);
    return svg_end(&picture.svg, path);
}
