#include "text/context.h"

#include <stdlib.h>

#define CACHE_MEGABYTES 16
#define MOST_THREADS    1024

wl_context *wl_context_create(const wl_context_options *options, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_context_options chosen;
    if (wl_read_options(&chosen, sizeof chosen, options, "wl_context_options", error)) return NULL;
    uint32_t threads = chosen.threads ? chosen.threads : wl_processors();
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    size_t megabytes = chosen.cache_megabyte ? chosen.cache_megabyte : CACHE_MEGABYTES;
    wl_context *context = wl_allocate(1, sizeof *context, error);
    if (!context) return NULL;
    context->pool = wl_pool_create(threads, error);
    context->workers = context->pool ? wl_allocate(threads, sizeof *context->workers, error) : NULL;
    if (!context->workers) {
        wl_context_free(context);
        return NULL;
    }
    for (uint32_t i = 0; i < threads; i++) context->workers[i].text.cache_bytes = megabytes << 20;
    return context;
}

void wl_context_free(wl_context *context)
{
    if (!context) return;
    for (uint32_t i = 0; context->workers && i < wl_pool_threads(context->pool); i++) {
        wl_worker *worker = &context->workers[i];
        wl_text_scratch_free(&worker->text);
        free(worker->rows);
        free(worker->weights);
        wl_buffer_free(&worker->values);
        wl_tokens_free(&worker->batch);
    }
    free(context->workers);
    free(context->groups);
    wl_pool_free(context->pool);
    free(context);
}

uint32_t wl_context_threads(const wl_context *context)
{
    return wl_pool_threads(context->pool);
}

wl_counts wl_context_counts(const wl_context *context)
{
    wl_counts sum = {0};
    for (uint32_t i = 0; i < wl_pool_threads(context->pool); i++) {
        const wl_counts *counts = &context->workers[i].counts;
        sum.texts += counts->texts;
        sum.tokens += counts->tokens;
        sum.truncated += counts->truncated;
        sum.replaced += context->workers[i].text.replaced;
    }
    return sum;
}

wl_status wl_context_run(wl_context *context, size_t count, void (*work)(void *user, uint32_t worker, size_t item),
                         void *user, wl_error *error)
{
    uint32_t threads = wl_pool_threads(context->pool);
    for (uint32_t i = 0; i < threads; i++) context->workers[i].failed_item = SIZE_MAX;
    wl_pool_run(context->pool, count, work, user);
    const wl_worker *failed = NULL;
    for (uint32_t i = 0; i < threads; i++) {
        const wl_worker *worker = &context->workers[i];
        if (worker->failed_item != SIZE_MAX && (!failed || worker->failed_item < failed->failed_item)) failed = worker;
    }
    if (!failed) return WL_OK;
    *error = failed->error;
    return error->code;
}

void wl_worker_fail(wl_worker *worker, size_t item, const wl_error *error)
{
    if (item >= worker->failed_item) return;
    worker->failed_item = item;
    worker->error = *error;
}
