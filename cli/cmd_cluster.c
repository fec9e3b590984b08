#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "job.h"
#include "plot.h"
#include "texts.h"

enum { NEAREST = 3 }; /* texts that describe a cluster */

typedef struct cli_clusters {
    cli_texts texts;
    wl_text *list;
    float *rows;
    uint32_t count; /* of clusters */
    uint32_t *labels;
    float *centroids;
    wl_match *nearest; /* (count, NEAREST) */
    char stage[64];    /* what is counted while they are searched for */
} cli_clusters;

static wl_status read_texts(cli_job *job, cli_clusters *clusters, wl_error *error)
{
    if (texts_read(&clusters->texts, &job->reader, &job->progress, error)) return error->code;
    size_t count = clusters->texts.count;
    if (count < clusters->count)
        return wl_fail(error, WL_ERROR_FORMAT, "--clusters is %" PRIu32 ", but there %s %zu text%s", clusters->count,
                       count == 1 ? "is" : "are", count, count == 1 ? "" : "s");
    clusters->list = texts_list(&clusters->texts, error);
    if (!clusters->list) return error->code;
    progress_stage(&job->progress, "texts embedded", count);
    job->session.options.normalize = WL_ON;
    clusters->rows = session_embed(&job->session, clusters->list, count, &job->progress, error);
    return clusters->rows ? WL_OK : error->code;
}

static wl_status find_clusters(cli_job *job, cli_clusters *clusters, wl_error *error)
{
    const cli_settings *settings = job->settings;
    wl_vectors vectors = session_vectors(&job->session, clusters->rows, clusters->texts.count);
    wl_cluster_options options = {
        .size = sizeof options,
        .clusters = clusters->count,
        .starts = settings->starts ? settings->starts : 10,
        .most_iterations = settings->iterations ? settings->iterations : 300,
        .has_tolerance = !isnan(settings->tolerance),
        .tolerance = isnan(settings->tolerance) ? 0 : settings->tolerance,
        .seed = settings->seed,
        .spherical = settings->spherical,
        .batch = settings->batch,
        .progress = progress_tell,
        .user = &job->progress,
    };
    wl_clustering result;
    clusters->labels = wl_allocate(vectors.count, sizeof *clusters->labels, error);
    if (clusters->labels)
        clusters->centroids = wl_allocate(clusters->count, vectors.dim * sizeof *clusters->centroids, error);
    if (clusters->centroids)
        clusters->nearest = wl_allocate(clusters->count, NEAREST * sizeof *clusters->nearest, error);
    if (!clusters->nearest) return error->code;
    snprintf(clusters->stage, sizeof clusters->stage, "iterations at most, in %" PRIu32 " starts", options.starts);
    progress_stage(&job->progress, clusters->stage, (uint64_t)options.starts * options.most_iterations);
    if (wl_cluster(&vectors, &options, job->session.context, clusters->labels, clusters->centroids, &result, error))
        return error->code;
    return wl_cluster_nearest(&vectors, clusters->labels, clusters->centroids, clusters->count, NEAREST,
                              job->session.context, clusters->nearest, error);
}

static void tell_what_is_empty(const cli_clusters *clusters)
{
    uint32_t empty = 0;
    for (uint32_t i = 0; i < clusters->count; i++) empty += clusters->nearest[i * NEAREST].index == WL_NONE;
    if (empty)
        fprintf(stderr,
                "wordllama: warning: %" PRIu32 " of %" PRIu32
                " clusters %s empty: fewer of the texts' vectors differ\n",
                empty, clusters->count, empty == 1 ? "is" : "are");
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

static wl_status print_label_object(cli_job *job, const cli_clusters *clusters, size_t number, wl_error *error)
{
    wl_buffer *out = &job->out;
    wl_status status = append_format(
        out, error, "{\"cluster\": %" PRIu32 ", \"index\": %zu, \"text\": ", clusters->labels[number], number);
    if (!status) status = append_json(out, clusters->list[number], error);
    if (!status) status = append_record(out, texts_object(&clusters->texts, &job->reader, number), error);
    return status ? status : append_format(out, error, "}\n");
}

static wl_status print_label(cli_job *job, const cli_clusters *clusters, size_t number, wl_error *error)
{
    wl_status status = append_format(&job->out, error, "%" PRIu32 "\t", clusters->labels[number]);
    if (!status) status = append_flat(&job->out, clusters->list[number], error);
    return status ? status : append_format(&job->out, error, "\n");
}

static wl_status print_labels(cli_job *job, const cli_clusters *clusters, wl_error *error)
{
    bool json = job->settings->json;
    for (size_t i = 0; i < clusters->texts.count; i++) {
        wl_status status = json ? print_label_object(job, clusters, i, error) : print_label(job, clusters, i, error);
        if (status || output_drain(&job->output, &job->out, false, error)) return error->code;
    }
    return WL_OK;
}

/* How many texts each cluster has, and the sum of their squared distances to its middle. */
typedef struct cluster_size {
    size_t texts;
    double inertia;
} cluster_size;

static double measure_clusters(const cli_clusters *clusters, size_t dim, cluster_size *sizes)
{
    double inertia = 0;
    for (size_t i = 0; i < clusters->texts.count; i++) {
        uint32_t label = clusters->labels[i];
        double distance = wl_vector_squared_distance(WL_ELEMENT_F32, clusters->rows + i * dim,
                                                     clusters->centroids + label * dim, dim);
        sizes[label].texts++;
        sizes[label].inertia += distance;
        inertia += distance;
    }
    return inertia;
}

static wl_status print_nearest(cli_job *job, const cli_clusters *clusters, wl_match match, wl_error *error)
{
    wl_text text = clusters->list[match.index];
    if (!job->settings->json) return append_match(&job->out, (double)match.score, text, error);
    return append_match_object(&job->out, (double)match.score, match.index, text,
                               texts_object(&clusters->texts, &job->reader, match.index), error);
}

static wl_status print_cluster(cli_job *job, const cli_clusters *clusters, uint32_t label, cluster_size size,
                               double share, wl_error *error)
{
    bool json = job->settings->json, first = true;
    wl_status status =
        json ? append_format(&job->out, error,
                             "{\"cluster\": %" PRIu32
                             ", \"size\": %zu, \"inertia\": %.6f, \"share\": %.6f, \"nearest\": [",
                             label, size.texts, size.inertia, share)
             : append_format(&job->out, error, "%scluster %" PRIu32 ": %zu text%s, %.1f%% of the inertia\n",
                             label ? "\n" : "", label, size.texts, size.texts == 1 ? "" : "s", 100 * share);
    for (size_t i = 0; i < NEAREST && !status; i++) {
        wl_match match = clusters->nearest[label * NEAREST + i];
        if (match.index == WL_NONE) break;
        if (json && !first) status = wl_buffer_append(&job->out, ", ", 2, error);
        if (!status) status = print_nearest(job, clusters, match, error);
        first = false;
    }
    return !status && json ? wl_buffer_append(&job->out, "]}\n", 3, error) : status;
}

static wl_status print_summary(cli_job *job, const cli_clusters *clusters, wl_error *error)
{
    cluster_size *sizes = wl_allocate(clusters->count, sizeof *sizes, error);
    if (!sizes) return error->code;
    double inertia = measure_clusters(clusters, job->session.dim, sizes);
    wl_status status = WL_OK;
    for (uint32_t label = 0; label < clusters->count && !status; label++) {
        double share = inertia > 0 ? sizes[label].inertia / inertia : 0;
        status = print_cluster(job, clusters, label, sizes[label], share, error);
        if (!status) status = output_drain(&job->output, &job->out, false, error);
    }
    free(sizes);
    return status;
}

static wl_status draw(const cli_job *job, const cli_clusters *clusters, wl_error *error)
{
    wl_match *nearest = wl_allocate(clusters->count, sizeof *nearest, error);
    if (!nearest) return error->code;
    for (uint32_t i = 0; i < clusters->count; i++) nearest[i] = clusters->nearest[i * NEAREST];
    plot_clusters plot = {
        .texts = clusters->list,
        .rows = clusters->rows,
        .labels = clusters->labels,
        .count = clusters->texts.count,
        .dim = job->session.dim,
        .clusters = clusters->count,
        .nearest = nearest,
    };
    wl_status status = plot_clusters_draw(job->settings->plot, &plot, error);
    free(nearest);
    return status;
}

static wl_status cluster(cli_job *job, wl_error *error)
{
    cli_clusters clusters = {.count = job->settings->clusters};
    wl_status status = read_texts(job, &clusters, error);
    if (!status) status = find_clusters(job, &clusters, error);
    progress_end();
    if (!status) tell_what_is_empty(&clusters);
    if (!status)
        status = job->settings->summary ? print_summary(job, &clusters, error) : print_labels(job, &clusters, error);
    if (!status && job->settings->plot) status = draw(job, &clusters, error);
    free(clusters.list);
    free(clusters.rows);
    free(clusters.labels);
    free(clusters.centroids);
    free(clusters.nearest);
    texts_free(&clusters.texts);
    return status;
}

wl_status cmd_cluster(const cli_settings *settings, wl_error *error)
{
    if (!settings->clusters)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--clusters is missing: how many clusters are there to be?");
    return job_run(settings, (job_plan){.work = cluster}, error);
}
