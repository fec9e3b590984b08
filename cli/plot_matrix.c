/* Similarities as a picture: a square a pair, blue above 0 and orange below. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot.h"
#include "svg.h"

enum { LEFT = 24, TOP = 88, SIDE = 640, COLUMNS = 40, MOST_LABELS = 50, LEVELS = 64 };

typedef struct matrix_picture {
    svg_picture svg;
    const wl_text *texts;
    const float *scores;
    size_t count;
    double cell, left; /* size of a square and where they begin */
} matrix_picture;

/* A level from -LEVELS to LEVELS. */
static int level_of(float score)
{
    double level = round((double)score * LEVELS);
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
            if (level_of(picture->scores[row * picture->count + column]) != level) continue;
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
            svg_put(
                svg, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"12\" text-anchor=\"middle\" fill=\"%s\">%.2f</text>\n",
                picture->left + picture->cell * ((double)column + 0.5), TOP + picture->cell * ((double)row + 0.5) + 4,
                fabs(score) > 0.55 ? "#fff" : "#1d2129", fabs(score) < 0.005 ? 0 : score);
        }
}

static void put_labels(matrix_picture *picture)
{
    svg_picture *svg = &picture->svg;
    for (size_t i = 0; i < picture->count; i++) {
        double middle = picture->cell * ((double)i + 0.5), size = fmin(13, picture->cell);
        svg_put(svg, "<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\" text-anchor=\"end\">",
                picture->left - 8, TOP + middle + size / 3, size);
        svg_put_text(svg, picture->texts[i], COLUMNS);
        svg_put(svg, "</text>\n");
    }
}

/* What the colours mean, under the squares. */
static void put_scale(matrix_picture *picture, double top)
{
    enum { STOPS = 8, LENGTH = 256 };
    svg_picture *svg = &picture->svg;
    svg_put(svg, "<linearGradient id=\"scale\">");
    for (int i = 0; i <= STOPS; i++) {
        svg_colour colour = colour_of((2 * i - STOPS) * LEVELS / STOPS);
        svg_put(svg, "<stop offset=\"%g\" stop-color=\"#%02x%02x%02x\"/>", (double)i / STOPS, colour.red, colour.green,
                colour.blue);
    }
    svg_put(svg, "</linearGradient>\n<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"10\" fill=\"url(#scale)\"/>\n",
            picture->left, top, LENGTH);
    for (int i = -1; i <= 1; i++)
        svg_put(svg, "<text class=\"quiet\" x=\"%.1f\" y=\"%.1f\" font-size=\"11\" text-anchor=\"%s\">%d</text>\n",
                picture->left + LENGTH / 2.0 * (i + 1), top + 24,
                i < 0 ? "start"
                : i   ? "end"
                      : "middle",
                i);
}

/* Room for the longest label, at about 7 pixels a character. */
static double label_width(const wl_text *texts, size_t count)
{
    size_t longest = 0;
    for (size_t i = 0; i < count; i++)
        if (texts[i].size > longest) longest = texts[i].size;
    return 7.3 * (double)(longest < COLUMNS ? longest : COLUMNS) + 10;
}

wl_status plot_matrix(const char *path, const wl_text *texts, const float *scores, size_t count, size_t total,
                      wl_error *error)
{
    matrix_picture picture = {.texts = texts, .scores = scores, .count = count};
    bool labelled = count <= MOST_LABELS;
    char title[128];
    picture.left = LEFT + (labelled ? label_width(texts, count) : 0);
    picture.cell = count ? fmin(56, (double)SIDE / (double)count) : 0;
    double side = picture.cell * (double)count, bottom = TOP + side;
    snprintf(title, sizeof title, "Similarity of %zu text%s", total, total == 1 ? "" : "s");
    svg_begin(&picture.svg, picture.left + fmax(side, 320) + 24, bottom + 64, title, error);
    svg_put(&picture.svg, "<text class=\"quiet\" x=\"24\" y=\"62\" font-size=\"12.5\">");
    if (count < total) svg_put(&picture.svg, "%zu of them are drawn. ", count);
    svg_put(&picture.svg, "Rows and columns are in the order of the input.</text>\n");
    svg_put(&picture.svg, "<g transform=\"translate(%g %d) scale(%g)\" shape-rendering=\"crispEdges\">\n", picture.left,
            TOP, picture.cell);
    for (int level = -LEVELS; level <= LEVELS; level++) put_path(&picture, level);
    svg_put(&picture.svg, "</g>\n");
    if (labelled) put_labels(&picture);
    if (picture.cell >= 34) put_numbers(&picture);
    put_scale(&picture, bottom + 20);
    return svg_end(&picture.svg, path);
}
