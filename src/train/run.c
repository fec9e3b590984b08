/* Steps: batches, slopes, the optimizer; and now and then a score, a line of the log, a checkpoint. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "format/json_write.h"
#include "train/run.h"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* ---- the log ----------------------------------------------------------------------------------------------------- */

/* The step of a line of the log; UINT64_MAX: none. */
static uint64_t step_of(const char *line)
{
    static const char begin[] = "{\"step\": ";
    return strncmp(line, begin, sizeof begin - 1) == 0 ? strtoull(line + sizeof begin - 1, NULL, 10) : UINT64_MAX;
}

/* The lines of steps that are done: a run that goes on repeats those behind its checkpoint. */
static wl_status read_log(const wl_run *run, const char *path, wl_buffer *kept)
{
    wl_mapping mapping;
    if (!run->state.step || !wl_path_exists(path)) return WL_OK;
    if (wl_mapping_open(&mapping, path, run->error)) return run->error->code;
    wl_status status = WL_OK;
    for (size_t at = 0; at < mapping.size && !status;) {
        const char *end = memchr(mapping.data + at, '\n', mapping.size - at);
        if (!end) break; /* cut short */
        char line[64];
        size_t size = (size_t)(end + 1 - (mapping.data + at)), shown = size < sizeof line - 1 ? size : sizeof line - 1;
        memcpy(line, mapping.data + at, shown);
        line[shown] = '\0';
        if (step_of(line) <= run->state.step) status = wl_buffer_append(kept, mapping.data + at, size, run->error);
        at += size;
    }
    wl_mapping_close(&mapping);
    return status;
}

static wl_status open_log(wl_run *run)
{
    const char *path = run->config.log;
    wl_buffer kept = {0};
    wl_replacement file;
    wl_status status = read_log(run, path, &kept);
    if (!status) status = wl_replacement_open(&file, path, run->error);
    if (!status && kept.size && fwrite(kept.data, 1, kept.size, file.stream) != kept.size) {
        status = wl_fail_errno(run->error, path, "write", errno);
        wl_replacement_abandon(&file);
    }
    if (!status) status = wl_replacement_commit(&file, run->error);
    wl_buffer_free(&kept);
    if (status) return status;
    run->log = fopen(path, "ab");
    return run->log ? WL_OK : wl_fail_errno(run->error, path, "write", errno);
}

static wl_status write_line(wl_run *run, wl_json_writer *json)
{
    wl_json_write(json, "}\n");
    wl_status status = json->status;
    const wl_buffer *line = json->buffer;
    if (!status && (fwrite(line->data, 1, line->size, run->log) != line->size || fflush(run->log) != 0))
        status = wl_fail_errno(run->error, run->config.log, "write", errno);
    return status;
}

static wl_status log_step(wl_run *run, double loss, double rate, double norm, uint64_t epoch)
{
    wl_buffer line = {0};
    wl_json_writer json = {&line, run->error, WL_OK};
    wl_json_write(&json, "{\"step\": %" PRIu64 ", \"epoch\": %" PRIu64 ", \"loss\": ", run->state.step, epoch);
    wl_json_write_number(&json, loss);
    if (run->config.losses.count > 1) {
        wl_json_write(&json, ", \"losses\": {");
        for (size_t i = 0; i < run->config.losses.count; i++) {
            const char *kind = wl_train_loss_table[run->config.losses.items[i].kind].name;
            wl_json_write(&json, "%s\"%zu %s\": ", i ? ", " : "", i, kind); /* a kind may stand there twice */
            if (isfinite(run->losses[i]))
                wl_json_write_number(&json, run->losses[i]);
            else
                wl_json_write(&json, "null"); /* the batch had nothing for it */
        }
        wl_json_write(&json, "}");
    }
    for (size_t i = 0; i < run->config.losses.count; i++)
        if (run->scales[i].used) wl_json_write(&json, ", \"scale %zu\": %.6g", i, exp((double)run->scales[i].value));
    wl_json_write(&json, ", \"rate\": ");
    wl_json_write_number(&json, rate);
    wl_json_write(&json, ", \"norm\": ");
    wl_json_write_number(&json, norm);
    wl_json_write(&json, ", \"seconds\": %.2f", now() - run->started);
    wl_status status = write_line(run, &json);
    wl_buffer_free(&line);
    return status;
}

static void write_scores(wl_json_writer *json, const wl_run *run, const wl_evaluation *evaluation)
{
    for (size_t i = 0; i < wl_sets_count(run->sets); i++) {
        wl_set_info info = wl_sets_at(run->sets, i);
        wl_json_write(json, "%s\"%s/%s\": {", i ? ", " : "", info.group, info.name);
        for (size_t j = 0; j < wl_evaluation_variants(evaluation); j++) {
            wl_variant variant = wl_evaluation_variant(evaluation, j);
            double score = wl_evaluation_score(evaluation, i, j).score;
            wl_json_write(json, "%s\"%" PRIu32 "%s\": ", j ? ", " : "", variant.dim, variant.binary ? " bits" : "");
            if (isfinite(score))
                wl_json_write(json, "%.4f", 100 * score);
            else
                wl_json_write(json, "null");
        }
        wl_json_write(json, "}");
    }
}

static wl_status log_scores(wl_run *run, const wl_evaluation *evaluation, double mean)
{
    wl_buffer line = {0};
    wl_json_writer json = {&line, run->error, WL_OK};
    wl_json_write(&json, "{\"step\": %" PRIu64 ", \"score\": ", run->state.step);
    if (isfinite(mean))
        wl_json_write(&json, "%.4f", 100 * mean);
    else
        wl_json_write(&json, "null");
    wl_json_write(&json, ", \"sets\": {");
    write_scores(&json, run, evaluation);
    wl_json_write(&json, "}");
    wl_status status = write_line(run, &json);
    wl_buffer_free(&line);
    return status;
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

static wl_status tell(wl_run *run, double loss, double rate, double norm)
{
    double seconds = now() - run->started, all = (double)(run->state.step ? run->state.step : 1);
    wl_train_state state = {
        .step = run->state.step,
        .steps = run->steps,
        .loss = loss,
        .rate = rate,
        .norm = norm,
        .score = run->state.best,
        .texts_per_second = seconds > 0 ? (double)run->texts / seconds : 0,
        .seconds = seconds,
        .left = run->told / all * (double)(run->steps - run->state.step),
    };
    if (!run->options.progress || run->options.progress(run->options.user, &state)) return WL_OK;
    return wl_fail(run->error, WL_ERROR_CANCELLED, "cancelled");
}

static void clear_slopes(wl_run *run)
{
    wl_projector_clear(run->projector);
    for (size_t i = 0; i < WL_MOST_LOSSES; i++) run->scales[i].slope = 0;
}

/* The projector keeps the list of touched rows of a sparse table: it is taken over before each step. */
static void refresh_parameters(wl_run *run)
{
    const wl_parameters *own = wl_projector_parameters(run->projector);
    for (size_t i = 0; i < own->count; i++) run->parameters.items[i] = own->items[i];
}

static wl_status take_step(wl_run *run)
{
    double loss = 0, norm = 0, rate = wl_schedule_rate(&run->schedule, run->state.step);
    double sums[WL_MOST_LOSSES] = {0}, counts[WL_MOST_LOSSES] = {0};
    uint64_t epoch = 0;
    wl_train_batch batch = {0};
    clear_slopes(run);
    for (uint64_t i = 0; i < run->config.accumulate; i++) {
        double part;
        if (wl_dataset_next(run->dataset, &batch, &epoch, run->error)) return run->error->code;
        run->state.batches++;
        if (wl_run_loss(run, &batch, 1 / (double)run->config.accumulate, &part)) return run->error->code;
        loss += part / (double)run->config.accumulate;
        for (size_t j = 0; j < run->config.losses.count; j++)
            if (isfinite(run->losses[j])) sums[j] += run->losses[j], counts[j]++;
    }
    for (size_t j = 0; j < run->config.losses.count; j++) run->losses[j] = sums[j] / counts[j]; /* NAN of none */
    refresh_parameters(run);
    if (wl_optimizer_step(run->optimizer, run->context->pool, &norm, run->error)) {
        char reason[sizeof run->error->message];
        memcpy(reason, run->error->message, sizeof reason);
        return wl_fail(run->error, run->error->code,
                       "step %" PRIu64 ": %.300s (the last batch is of %.100s, from record %" PRIu64 " on)",
                       run->state.step + 1, reason, run->config.data.items[batch.source].path,
                       batch.numbers ? batch.numbers[0] : 0);
    }
    run->state.step++;
    run->loss = loss;
    if (log_step(run, loss, rate, norm, epoch)) return run->error->code;
    return tell(run, loss, rate, norm);
}

/* ---- scores and checkpoints -------------------------------------------------------------------------------------- */

static wl_status save_checkpoint(wl_run *run)
{
    refresh_parameters(run);
    return wl_checkpoint_write(run->checkpoint_path, &run->parameters, run->optimizer, &run->state, run->arguments.data,
                               run->error);
}

/* The averages are what would be saved. */
static wl_status score(wl_run *run)
{
    wl_evaluation *evaluation = NULL;
    double mean = NAN;
    wl_optimizer_swap_averages(run->optimizer);
    wl_status status = wl_run_score(run, &evaluation, &mean);
    if (!status) run->state.scored = run->state.step;
    if (!status && isfinite(mean) && !(mean <= run->state.best)) {
        run->state.best = mean;
        run->state.best_step = run->state.step;
        refresh_parameters(run);
        if (run->config.keep_best)
            status = wl_checkpoint_write(run->best_path, &run->parameters, NULL, &run->state, run->arguments.data,
                                         run->error);
    }
    wl_optimizer_swap_averages(run->optimizer);
    if (!status) status = log_scores(run, evaluation, mean);
    wl_evaluation_free(evaluation);
    return status;
}

static bool is_due(uint64_t step, uint64_t every, uint64_t steps)
{
    return step == steps || (every && step % every == 0);
}

/* Before the first step, too: what the start is worth. A run that was stopped between a step and its score goes on with
 * the score. */
static bool must_score(const wl_run *run)
{
    uint64_t step = run->state.step;
    if (!run->sets || run->state.scored == step) return false;
    return !step || is_due(step, run->config.evaluate_every, run->steps);
}

static wl_status take_steps(wl_run *run)
{
    double begun = now();
    uint64_t first = run->state.step;
    bool changed = false; /* since the checkpoint that it goes on from */
    for (;;) {
        uint64_t step = run->state.step;
        if (step > first) run->told = (now() - begun) / (double)(step - first) * (double)step;
        if (must_score(run)) {
            if (score(run)) return run->error->code;
            changed = true;
        }
        if (changed && step && is_due(step, run->config.checkpoint_every, run->steps) && save_checkpoint(run))
            return run->error->code;
        if (step >= run->steps) return WL_OK;
        if (take_step(run)) return run->error->code;
        changed = true;
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void say(const wl_run *run, const char *text)
{
    if (run->options.message) run->options.message(run->options.user, text);
}

static wl_status go_on_from_checkpoint(wl_run *run)
{
    if (wl_replacement_sweep(run->checkpoint_path, run->error) || wl_replacement_sweep(run->best_path, run->error))
        return run->error->code;
    /* What an earlier run left would be taken for this one's by a call that resumes it. */
    if (!run->options.resume) {
        const char *const old[] = {run->checkpoint_path, run->best_path};
        for (size_t i = 0; i < sizeof old / sizeof *old; i++)
            if (remove(old[i]) != 0 && errno != ENOENT) return wl_fail_errno(run->error, old[i], "remove", errno);
        return WL_OK;
    }
    if (!wl_path_exists(run->checkpoint_path)) {
        say(run, "there is no checkpoint to go on from: the run begins");
        return WL_OK;
    }
    refresh_parameters(run);
    if (wl_checkpoint_read(run->checkpoint_path, &run->parameters, run->optimizer, &run->state, run->arguments.data,
                           run->error) ||
        wl_dataset_seek(run->dataset, run->state.batches, run->error))
        return run->error->code;
    char text[100];
    snprintf(text, sizeof text, "going on after step %" PRIu64 " of %" PRIu64, run->state.step, run->steps);
    say(run, text);
    return WL_OK;
}

/* The best values if there are such, else the averages, else the last ones. */
static wl_status take_result(wl_run *run)
{
    wl_checkpoint of_best;
    refresh_parameters(run);
    if (run->sets && run->config.keep_best && isfinite(run->state.best)) {
        if (wl_checkpoint_read(run->best_path, &run->parameters, NULL, &of_best, run->arguments.data, run->error))
            return run->error->code;
        if (of_best.best_step == run->state.best_step) return WL_OK;
        return wl_fail_at(run->error, WL_ERROR_MISMATCH, run->best_path, WL_NO_POSITION, 0,
                          "is of step %" PRIu64 ", and the best score was after step %" PRIu64, of_best.best_step,
                          run->state.best_step);
    }
    wl_optimizer_swap_averages(run->optimizer);
    run->state.best_step = run->state.step;
    return WL_OK;
}

static wl_status mix(wl_run *run)
{
    const wl_train_counts *dims = &run->config.matryoshka;
    return wl_projector_mix(run->projector, dims->items, dims->count, run->config.mix, run->error);
}

static wl_status save(wl_run *run)
{
    wl_evaluation *evaluation = NULL;
    double mean = NAN;
    wl_status status = take_result(run);
    if (!status && run->config.norm_power != 0) wl_projector_scale_rows(run->projector, run->config.norm_power);
    if (!status && run->config.mix) status = mix(run);
    if (!status && run->sets) status = wl_run_score(run, &evaluation, &mean);
    if (!status) status = wl_run_save(run, evaluation);
    if (!status) run->state.best = mean;
    wl_evaluation_free(evaluation);
    return status;
}

static wl_status work(wl_run *run)
{
    if (go_on_from_checkpoint(run) || open_log(run)) return run->error->code;
    run->started = now();
    wl_status status = take_steps(run);
    /* Nothing is lost where it was the caller who stopped it. */
    if (status == WL_ERROR_CANCELLED && save_checkpoint(run)) status = run->error->code;
    if (status == WL_ERROR_CANCELLED) return wl_fail(run->error, status, "cancelled");
    return status ? status : save(run);
}

static void describe(const wl_run *run, wl_trained *out)
{
    *out = (wl_trained){
        .steps = run->state.step,
        .loss = run->loss,
        .score = run->sets ? run->state.best : NAN,
        .best_step = run->state.best_step,
        .seconds = now() - run->started,
    };
    snprintf(out->log, sizeof out->log, "%s", run->config.log);
    char name[WL_MODEL_NAME];
    wl_run_model_name(run, run->config.matryoshka.items[0], name);
    snprintf(out->model, sizeof out->model, "%s/%s", run->config.output, name);
}

wl_status wl_train(const char *config, const wl_train_options *options, wl_trained *out, wl_error *error)
{
    wl_error unused;
    wl_run run = {.loss = NAN, .error = error ? error : &unused};
    if (wl_read_options(&run.options, sizeof run.options, options, "wl_train_options", run.error))
        return run.error->code;
    wl_status status = wl_run_open(&run, config);
    if (!status) status = work(&run);
    if (!status && out) describe(&run, out);
    wl_run_close(&run);
    return status;
}
