/* Clusters as a picture: the texts in the plane where they lie most apart, and a list of the clusters. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pca.h"
#include "plot.h"
#include "svg.h"

/* The plane's panel and the list beside it, in pixels. */
enum { WIDTH = 1080, HEIGHT = 720, LEFT = 24, TOP = 80, PANEL_WIDTH = 700, PANEL_HEIGHT = 616, MARGIN = 32 };
enum { LIST = LEFT + PANEL_WIDTH + 24, ROW = 41, MOST_ROWS = PANEL_HEIGHT / ROW };

typedef struct cluster_view {
    size_t number, size; /* of all texts, also those that are not drawn */
    size_t drawn;
    double x, y; /* middle of those drawn */
} cluster_view;

typedef struct cluster_picture {
    const plot_clusters *plot;
    svg_picture svg;
    size_t count; /* texts drawn */
    float *rows;  /* theirs */
    double *points;
    double share;
    cluster_view *views;
} cluster_picture;

static int by_size(const void *a, const void *b)
{
    const cluster_view *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

static size_t row_of(const cluster_picture *picture, size_t place)
{
    return plot_sample(place, picture->count, picture->plot->count);
}

static wl_status find_points(cluster_picture *picture, wl_error *error)
{
    size_t dim = picture->plot->dim, count = picture->count;
    picture->rows = wl_allocate(count * dim, sizeof *picture->rows, error);
    picture->points = picture->rows ? wl_allocate(2 * count, sizeof *picture->points, error) : NULL;
    picture->views = picture->points ? wl_allocate(picture->plot->clusters, sizeof *picture->views, error) : NULL;
    if (!picture->views) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++)
        memcpy(picture->rows + i * dim, picture->plot->rows + row_of(picture, i) * dim, dim * sizeof(float));
    return pca_plane(picture->rows, count, dim, picture->points, &picture->share, error);
}

/* From the plane to the panel, on one scale for both axes. */
static void place_points(cluster_picture *picture)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < 2 * picture->count; i++) {
        low[i % 2] = fmin(low[i % 2], picture->points[i]);
        high[i % 2] = fmax(high[i % 2], picture->points[i]);
    }
    double wide = high[0] - low[0], tall = high[1] - low[1];
    double scale = fmin((PANEL_WIDTH - 2 * MARGIN) / fmax(wide, 1e-9), (PANEL_HEIGHT - 2 * MARGIN) / fmax(tall, 1e-9));
    for (size_t i = 0; i < picture->count; i++) {
        double *point = picture->points + 2 * i;
        point[0] = LEFT + PANEL_WIDTH / 2.0 + scale * (point[0] - (low[0] + high[0]) / 2);
        point[1] = TOP + PANEL_HEIGHT / 2.0 - scale * (point[1] - (low[1] + high[1]) / 2);
    }
}

static void view_clusters(cluster_picture *picture)
{
    const plot_clusters *plot = picture->plot;
    for (size_t i = 0; i < plot->clusters; i++) picture->views[i].number = i;
    for (size_t i = 0; i < plot->count; i++) picture->views[plot->labels[i]].size++;
    for (size_t i = 0; i < picture->count; i++) {
        cluster_view *view = &picture->views[plot->labels[row_of(picture, i)]];
        view->drawn++;
        view->x += picture->points[2 * i];
        view->y += picture->points[2 * i + 1];
    }
    for (size_t i = 0; i < plot->clusters; i++) {
        cluster_view *view = &picture->views[i];
        if (!view->drawn) continue;
        view->x /= (double)view->drawn;
        view->y /= (double)view->drawn;
    }
    qsort(picture->views, plot->clusters, sizeof *picture->views, by_size);
}

/* Badges that would cover each other are pushed apart. */
static void spread(cluster_view *views, size_t count)
{
    enum { ROUNDS = 60, APART = 25 };
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < i; j++) {
                double x = views[i].x - views[j].x, y = views[i].y - views[j].y, distance = hypot(x, y);
                if (distance >= APART || !views[i].drawn || !views[j].drawn) continue;
                /* Where both lie in one place they part sideways. */
                double push = (APART - distance) / 2;
                x = distance > 0 ? x / distance : 1, y = distance > 0 ? y / distance : 0;
                views[i].x += push * x, views[i].y += push * y;
                views[j].x -= push * x, views[j].y -= push * y;
            }
}

static void put_badge(svg_picture *svg, double x, double y, size_t number)
{
    static const char *const layers[] = {"fill=\"none\" stroke=\"#000\" stroke-opacity=\".4\" stroke-width=\"2\"",
                                         "fill=\"#fff\""};
    svg_colour colour = svg_colour_of(number);
    svg_put(svg,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"12\" fill=\"#%02x%02x%02x\" stroke=\"#fff\" "
            "stroke-width=\"1.5\"/>",
            x, y, colour.red, colour.green, colour.blue);
    svg_put(svg, "<g font-size=\"%d\" font-weight=\"700\" text-anchor=\"middle\">", number < 100 ? 12 : 9);
    /* A dark edge, then the number on it: an attribute that orders the two is unknown to some programs. */
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        svg_put(svg, "<text x=\"%.1f\" y=\"%.1f\" %s>%zu</text>", x, y + 4, layers[i], number);
    svg_put(svg, "</g>\n");
}

/* The points of the small clusters last, so that those of the large ones do not hide them. */
static void put_points(cluster_picture *picture)
{
    const plot_clusters *plot = picture->plot;
    svg_picture *svg = &picture->svg;
    double radius = picture->count < 100 ? 6 : picture->count < 500 ? 4.5 : picture->count < 2000 ? 3.2 : 2.4;
    svg_put(svg, "<rect class=\"panel\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"10\"/>\n", LEFT, TOP,
            PANEL_WIDTH, PANEL_HEIGHT);
    for (size_t i = 0; i < plot->clusters; i++) {
        size_t number = picture->views[i].number;
        svg_colour colour = svg_colour_of(number);
        if (!picture->views[i].drawn) continue;
        svg_put(svg, "<g fill=\"#%02x%02x%02x\" fill-opacity=\".72\">\n", colour.red, colour.green, colour.blue);
        for (size_t place = 0; place < picture->count; place++) {
            size_t row = row_of(picture, place);
            if (plot->labels[row] != number) continue;
            svg_put(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"><title>", picture->points[2 * place],
                    picture->points[2 * place + 1], radius);
            svg_put_text(svg, plot->texts[row], TOOLTIP);
            svg_put(svg, "</title></circle>\n");
        }
        svg_put(svg, "</g>\n");
    }
}

/* Each cluster's number, nearest text and size, the largest first. */
static void put_list(cluster_picture *picture, size_t rows)
{
    const plot_clusters *plot = picture->plot;
    svg_picture *svg = &picture->svg;
    for (size_t i = 0; i < rows; i++) {
        const cluster_view *view = &picture->views[i];
        double y = TOP + ROW * (double)i;
        put_badge(svg, LIST + 12, y + 16, view->number);
        svg_put(svg, "<text class=\"ink\" x=\"%d\" y=\"%.0f\" font-size=\"13\">", LIST + 34, y + 14);
        size_t nearest = plot->nearest[view->number].index;
        if (nearest != WL_NONE) svg_put_text(svg, plot->texts[nearest], (WIDTH - LEFT - LIST - 34) / 13.0);
        svg_put(svg, "</text><text class=\"quiet\" x=\"%d\" y=\"%.0f\" font-size=\"11\">%zu text%s</text>\n", LIST + 34,
                y + 29, view->size, view->size == 1 ? "" : "s");
    }
    if (rows < plot->clusters)
        svg_put(svg, "<text class=\"quiet\" x=\"%d\" y=\"%d\" font-size=\"12\">and %zu smaller clusters</text>\n",
                LIST + 34, TOP + ROW * (int)rows + 12, plot->clusters - rows);
}

static void put_heading(cluster_picture *picture, wl_error *error)
{
    const plot_clusters *plot = picture->plot;
    char title[128];
    snprintf(title, sizeof title, "%zu text%s in %zu cluster%s", plot->count, plot->count == 1 ? "" : "s",
             plot->clusters, plot->clusters == 1 ? "" : "s");
    svg_begin(&picture->svg, WIDTH, HEIGHT, title, error);
    svg_put(&picture->svg, "<text class=\"quiet\" x=\"24\" y=\"62\" font-size=\"12.5\">");
    if (picture->count < plot->count) svg_put(&picture->svg, "%zu of them are drawn. ", picture->count);
    svg_put(&picture->svg,
            "Each text lies where its first two principal components say; they hold %.0f%% of the variance.</text>\n",
            100 * picture->share);
}

wl_status plot_clusters_draw(const char *path, const plot_clusters *plot, wl_error *error)
{
    cluster_picture picture = {.plot = plot, .count = plot->count < PLOT_POINTS ? plot->count : PLOT_POINTS};
    wl_status status = find_points(&picture, error);
    if (!status) {
        /* The last row of the list is for how many are left out. */
        size_t rows = plot->clusters <= MOST_ROWS ? plot->clusters : MOST_ROWS - 1;
        place_points(&picture);
        view_clusters(&picture);
        put_heading(&picture, error);
        put_points(&picture);
        put_list(&picture, rows);
        spread(picture.views, rows);
        for (size_t i = rows; i-- > 0;)
            if (picture.views[i].drawn)
                put_badge(&picture.svg, picture.views[i].x, picture.views[i].y, picture.views[i].number);
        status = svg_end(&picture.svg, path);
    }
    free(picture.rows);
    free(picture.points);
    free(picture.views);
    return status;
}
