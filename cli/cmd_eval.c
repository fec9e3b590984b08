#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "models.h"
#include "report.h"
#include "targets.h"

#include "data/records.h"
#include "model/paths.h"
#include "wordllama_train.h"

enum { MOST_DIMS = 64 };

/* What is asked for, and what came of it. */
typedef struct evaluating {
    const cli_settings *settings;
    const char **models, **paths; /* the operands, sorted out; (operands) each */
    char **folders;               /* (models), where each of them is */
    size_t model_count, path_count;
    wl_sets *sets;
    wl_variant wanted[2 * MOST_DIMS]; /* dim 0: all */
    size_t wanted_count;
    wl_evaluation **evaluations; /* (models) */
    size_t *places;              /* (models, wanted): the variant's number in the model's evaluation; SIZE_MAX: none */
    double *speeds;              /* (models): texts embedded a second */
    report_comparison *comparisons;
    size_t comparison_count;
    cli_progress progress;
} evaluating;

/* ---- operands and flags ------------------------------------------------------------------------------------------ */

/* What is there and is no model. */
static bool is_set(const char *path)
{
    static const char ending[] = ".safetensors";
    size_t length = strlen(path);
    if (!wl_path_exists(path)) return false;
    if (!wl_path_is_directory(path))
        return length < sizeof ending || strcmp(path + length - strlen(ending), ending) != 0;
    wl_model_paths paths = {0};
    wl_error unused;
    bool model = wl_model_find_weights(&paths, path, &unused) == WL_OK;
    wl_model_paths_free(&paths);
    return !model;
}

static wl_status sort_operands(evaluating *this, wl_error *error)
{
    const cli_settings *settings = this->settings;
    this->models = wl_allocate(settings->operand_count, sizeof *this->models, error);
    this->paths = this->models ? wl_allocate(settings->operand_count + 1, sizeof *this->paths, error) : NULL;
    if (!this->paths) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < settings->operand_count; i++) {
        if (is_set(settings->operands[i]))
            this->paths[this->path_count++] = settings->operands[i];
        else
            this->models[this->model_count++] = settings->operands[i];
    }
    const char *usual = getenv("WORDLLAMA_EVAL");
    if (!this->path_count && usual && *usual) this->paths[this->path_count++] = usual;
    if (!this->model_count)
        return wl_fail(error, WL_ERROR_ARGUMENT, "no MODEL is given: '%.200s' is a set, and a model comes before it",
                       settings->operands[0]);
    /* Two names of which the last is of nothing here: a set was meant. */
    const char *last = settings->operands[settings->operand_count - 1];
    if (!this->path_count && this->model_count > 1 && !wl_path_exists(last))
        return wl_fail(error, WL_ERROR_ARGUMENT, "no evaluation set is given: '%.200s' is not there", last);
    if (!this->path_count)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "no evaluation set is given: name folders or files of sets, or set WORDLLAMA_EVAL to one");
    if (settings->compare && this->model_count < 2)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--compare is for two models or more");
    if (settings->samples && !settings->compare)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--samples has a meaning with --compare only");
    if (settings->json && settings->markdown)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--json and --markdown contradict each other");
    const char *const targets[] = {settings->output, settings->plot, settings->plot_speed};
    size_t printed = is_standard_output(settings->output);
    for (size_t i = 1; i < sizeof targets / sizeof *targets; i++)
        printed += targets[i] && is_standard_output(targets[i]);
    if (printed > 1) return wl_fail(error, WL_ERROR_ARGUMENT, "the picture and the report both go to standard output");
    return check_targets(settings, targets, sizeof targets / sizeof *targets, error);
}

/* All models before any is scored: a wrong name is known at once. */
static wl_status find_models(evaluating *this, wl_error *error)
{
    this->folders = wl_allocate(this->model_count, sizeof(char *), error);
    if (!this->folders) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < this->model_count; i++) {
        wl_model_paths paths = {0};
        wl_records_form form;
        size_t stem;
        const char *name = this->models[i];
        if (!wl_path_exists(name) && wl_records_named(name, &form, &stem))
            return wl_fail_at(error, WL_ERROR_NOT_FOUND, name, WL_NO_POSITION, 0, "is not there");
        this->folders[i] = find_model(name, error);
        wl_status status = this->folders[i] ? wl_model_find_weights(&paths, this->folders[i], error) : error->code;
        wl_model_paths_free(&paths);
        if (status) return status;
    }
    return WL_OK;
}

static bool is_wanted(const evaluating *this, unsigned long dim)
{
    for (size_t i = 0; i < this->wanted_count; i++)
        if (this->wanted[i].dim == dim) return true;
    return false;
}

/* "256,128,64", and the same once more as bits. */
static wl_status read_variants(evaluating *this, wl_error *error)
{
    const char *dims = this->settings->dims;
    if (!dims) this->wanted_count = 1;
    for (const char *at = dims; at; at++) {
        char *end;
        size_t digits = strspn(at, "0123456789");
        unsigned long dim = strtoul(at, &end, 10);
        if (!digits || digits > 9 || !dim || (*end && *end != ','))
            return wl_fail(error, WL_ERROR_ARGUMENT, "--dims is '%.100s', expected numbers from 1 with commas between",
                           dims);
        if (this->wanted_count == MOST_DIMS)
            return wl_fail(error, WL_ERROR_ARGUMENT, "--dims names more than %d numbers", MOST_DIMS);
        if (!is_wanted(this, dim)) this->wanted[this->wanted_count++].dim = (uint32_t)dim;
        at = end;
        if (!*at) break;
    }
    size_t floats = this->wanted_count;
    for (size_t i = 0; i < floats && this->settings->binary; i++)
        this->wanted[this->wanted_count++] = (wl_variant){this->wanted[i].dim, true};
    return WL_OK;
}

/* ---- scoring ----------------------------------------------------------------------------------------------------- */

static void warn(void *user, const char *text)
{
    (void)user;
    progress_end();
    fprintf(stderr, "wordllama: warning: %s\n", text);
}

static wl_status open_sets(evaluating *this, wl_error *error)
{
    wl_sets_options options = {
        .size = sizeof options,
        .only = this->settings->only.names,
        .only_count = this->settings->only.count,
        .message = warn,
    };
    this->sets = wl_sets_open(this->paths, this->path_count, &options, error);
    return this->sets ? WL_OK : error->code;
}

/* The wanted variants that a model has, and where each of them is. */
static wl_status choose_variants(const evaluating *this, size_t model, size_t dim, wl_variant *variants, size_t *count,
                                 wl_error *error)
{
    *count = 0;
    for (size_t i = 0; i < this->wanted_count; i++) {
        bool has = this->wanted[i].dim <= dim;
        this->places[model * this->wanted_count + i] = has ? *count : SIZE_MAX;
        if (has) variants[(*count)++] = this->wanted[i];
    }
    if (*count) return WL_OK;
    return wl_fail(error, WL_ERROR_ARGUMENT, "%.200s has %zu dimensions, fewer than any that --dims names",
                   this->models[model], dim);
}

/* An embedder, and what it has done. */
typedef struct timed_embedder {
    wl_embedder inner;
    double seconds;
    uint64_t texts;
} timed_embedder;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static wl_status embed_timed(void *user, const wl_text *texts, size_t count, float *out, wl_error *error)
{
    timed_embedder *this = user;
    double begin = now();
    wl_status status = this->inner.embed(this->inner.user, texts, count, out, error);
    this->seconds += now() - begin;
    this->texts += count;
    return status;
}

static wl_status score_open_model(evaluating *this, size_t number, wl_model_user *user, wl_error *error)
{
    wl_variant variants[2 * MOST_DIMS];
    timed_embedder timed = {.inner = wl_model_embedder(user)};
    wl_embedder embedder = {timed.inner.dim, embed_timed, &timed};
    wl_evaluate_options options = {
        .size = sizeof options,
        .variants = variants,
        .seed = this->settings->seed,
        .progress = progress_tell,
        .user = &this->progress,
    };
    if (choose_variants(this, number, embedder.dim, variants, &options.variant_count, error)) return error->code;
    progress_stage(&this->progress, "texts and scores", wl_evaluate_total(this->sets, options.variant_count));
    this->evaluations[number] = wl_evaluate(this->sets, &embedder, user->context, &options, error);
    progress_end();
    this->speeds[number] = timed.seconds > 0 ? (double)timed.texts / timed.seconds : 0;
    return this->evaluations[number] ? WL_OK : error->code;
}

static wl_status score_model(evaluating *this, size_t number, wl_error *error)
{
    wl_context_options options = {.size = sizeof options, .threads = this->settings->threads};
    wl_model_options how = {
        .size = sizeof how,
        .tokenizer = this->settings->tokenizer,
        .policy = (wl_policy)this->settings->policy,
        .whole_texts = true, /* as the scorers of published figures have it */
    };
    wl_model *model = wl_model_open(this->folders[number], &how, error);
    wl_context *context = model ? wl_context_create(&options, error) : NULL;
    wl_model_user user = {model, context};
    wl_status status = context ? score_open_model(this, number, &user, error) : error->code;
    wl_context_free(context);
    wl_model_close(model);
    return status;
}

static wl_status score_models(evaluating *this, wl_error *error)
{
    this->evaluations = wl_allocate(this->model_count, sizeof(wl_evaluation *), error);
    this->places =
        this->evaluations ? wl_allocate(this->model_count * this->wanted_count, sizeof *this->places, error) : NULL;
    this->speeds = this->places ? wl_allocate(this->model_count, sizeof *this->speeds, error) : NULL;
    wl_status status = this->speeds ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i < this->model_count && !status; i++) status = score_model(this, i, error);
    return status;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static wl_status compare_with(evaluating *this, size_t model, size_t wanted, wl_context *context, wl_error *error)
{
    size_t first = this->places[wanted], other = this->places[model * this->wanted_count + wanted];
    if (first == SIZE_MAX || other == SIZE_MAX) return WL_OK;
    wl_difference *differences = wl_allocate(wl_compare_count(this->sets), sizeof *differences, error);
    if (!differences) return WL_ERROR_MEMORY;
    this->comparisons[this->comparison_count++] = (report_comparison){model, first, other, differences};
    wl_compare_options options = {
        .size = sizeof options,
        .samples = this->settings->samples,
        .seed = this->settings->seed,
    };
    return wl_compare(this->evaluations[0], first, this->evaluations[model], other, context, &options, differences,
                      error);
}

static wl_status compare(evaluating *this, wl_error *error)
{
    wl_context_options options = {.size = sizeof options, .threads = this->settings->threads};
    wl_context *context = wl_context_create(&options, error);
    if (!context) return error->code;
    this->comparisons = wl_allocate(this->model_count * this->wanted_count, sizeof *this->comparisons, error);
    wl_status status = this->comparisons ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 1; i < this->model_count; i++)
        for (size_t j = 0; j < this->wanted_count && !status; j++) status = compare_with(this, i, j, context, error);
    wl_context_free(context);
    if (!status && !this->comparison_count)
        status = wl_fail(error, WL_ERROR_ARGUMENT, "the models have no number of dimensions in common to compare");
    return status;
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static wl_status write_report(const evaluating *this, wl_error *error)
{
    const cli_settings *settings = this->settings;
    cli_report report = {
        .sets = this->sets,
        .names = this->models,
        .evaluations = this->evaluations,
        .speeds = this->speeds,
        .models = this->model_count,
        .comparisons = this->comparisons,
        .comparison_count = this->comparison_count,
    };
    wl_buffer out = {0};
    cli_output output;
    wl_status status = settings->json       ? report_json(&report, &out, error)
                       : settings->markdown ? report_markdown(&report, &out, error)
                                            : report_table(&report, &out, error);
    if (!status && settings->plot) status = plot_scores(settings->plot, &report, false, error);
    if (!status && settings->plot_speed) status = plot_scores(settings->plot_speed, &report, true, error);
    if (!status) status = output_open(&output, settings->output, error);
    if (!status) {
        status = output_drain(&output, &out, true, error);
        if (!status) status = output_close(&output, error);
        output_abandon(&output);
    }
    wl_buffer_free(&out);
    return status;
}

static void end(evaluating *this)
{
    for (size_t i = 0; i < this->comparison_count; i++) free(this->comparisons[i].differences);
    for (size_t i = 0; this->evaluations && i < this->model_count; i++) wl_evaluation_free(this->evaluations[i]);
    wl_sets_close(this->sets);
    free(this->comparisons);
    free(this->evaluations);
    free(this->places);
    free(this->speeds);
    for (size_t i = 0; this->folders && i < this->model_count; i++) free(this->folders[i]);
    free(this->folders);
    free(this->models);
    free(this->paths);
}

wl_status cmd_eval(const cli_settings *settings, wl_error *error)
{
    evaluating this = {.settings = settings};
    progress_begin(&this.progress, false);
    wl_status status = sort_operands(&this, error);
    if (!status) status = read_variants(&this, error);
    if (!status) status = find_models(&this, error);
    if (!status) status = open_sets(&this, error);
    if (!status) status = score_models(&this, error);
    if (!status && settings->compare) status = compare(&this, error);
    if (!status) status = write_report(&this, error);
    end(&this);
    return status;
}
