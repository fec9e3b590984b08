/* What --plot draws. */
#ifndef WL_CLI_PLOT_H
#define WL_CLI_PLOT_H

#include "base/status.h"
#include "wordllama_train.h"

enum {
    PLOT_POINTS = 5000, /* more texts than this are not drawn, but a sample of so many */
    PLOT_MATRIX = 100,  /* the same */
};

/* Number of the row that stands at a place of a sample of count out of total, evenly over all. */
static inline size_t plot_sample(size_t place, size_t count, size_t total)
{
    return (size_t)((double)place * ((double)total / (double)count));
}

/* scores: (count, count), of the sample whose texts are given, at least one, out of total texts. */
wl_status plot_matrix(const char *path, const wl_text *texts, const float *scores, size_t count, size_t total,
                      wl_error *error);

typedef struct plot_clusters {
    const wl_text *texts;   /* (count) */
    const float *rows;      /* (count, dim) */
    const uint32_t *labels; /* (count), below clusters */
    size_t count, dim, clusters;
    const wl_match *nearest; /* (clusters): each one's text nearest to its middle; WL_NONE: it has none */
} plot_clusters;

wl_status plot_clusters_draw(const char *path, const plot_clusters *plot, wl_error *error);

/* How long the rows are, and the spectrum. */
wl_status plot_codebook(const char *path, const wl_inspection *found, const wl_codebook_shape *shape, wl_error *error);

/* The loss and the scores of a run, from its log. */
wl_status plot_curves(const char *path, const char *log, wl_error *error);

#endif
