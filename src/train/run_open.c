/* From the configuration to what a run works with. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/digests.h"
#include "data/sets.h"
#include "hub/cache.h"
#include "train/run.h"

char *wl_run_path(const wl_run *run, const char *format, ...)
{
    char name[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    return wl_path_join(run->config.output, name, run->error);
}

static void say(const wl_run *run, const char *text)
{
    if (run->options.message) run->options.message(run->options.user, text);
}

/* ---- configuration ----------------------------------------------------------------------------------------------- */

static wl_status read_config(wl_run *run, const char *path)
{
    wl_error *error = run->error;
    if (wl_train_config_default(&run->config, error) || (path && wl_train_config_read(&run->config, path, error)))
        return error->code;
    for (size_t i = 0; i < run->options.setting_count; i++) {
        const wl_train_setting *setting = &run->options.settings[i];
        if (wl_train_config_set(&run->config, setting->name, setting->value, error)) return error->code;
    }
    if (wl_train_config_check(&run->config, error)) return error->code;
    if (run->config.losses.count > WL_MOST_LOSSES)
        return wl_fail(error, WL_ERROR_ARGUMENT, "losses: %zu of them, expected at most %d", run->config.losses.count,
                       WL_MOST_LOSSES);
    return WL_OK;
}

/* ---- codebook ---------------------------------------------------------------------------------------------------- */

/* A table that is read where it lies, but one of other numbers, or whose rows have weights: a finished model's, which
 * is small. */
static wl_status take_table(wl_run *run)
{
    const wl_codebook *codebook = run->codebook;
    wl_dtype dtype = codebook->table->dtype;
    run->table = (wl_bag_table){codebook->table->data, dtype, codebook->rows, codebook->dim};
    if (!codebook->weights && (dtype == WL_F16 || dtype == WL_BF16 || dtype == WL_F32)) return WL_OK;
    if (codebook->rows > SIZE_MAX / sizeof *run->rows / codebook->dim) return wl_fail_memory(run->error, SIZE_MAX);
    run->rows = wl_allocate(codebook->rows * codebook->dim, sizeof *run->rows, run->error);
    if (!run->rows) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < codebook->rows; i++) wl_codebook_floats(codebook, i, run->rows + i * codebook->dim);
    run->table.data = run->rows;
    run->table.dtype = WL_F32;
    return WL_OK;
}

static wl_status open_codebook(wl_run *run)
{
    const wl_train_config *config = &run->config;
    wl_codebook *codebook = run->codebook = wl_codebook_open(config->codebook, config->tokenizer, run->error);
    if (!codebook) return run->error->code;
    if (wl_codebook_check_tokenizer(codebook, run->error)) return run->error->code;
    if (take_table(run)) return run->error->code;
    return wl_train_config_finish(&run->config, (uint32_t)codebook->dim, run->error);
}

/* The words of a file, one a line: words points into text; both are owned by the caller. */
static wl_status read_words(const char *path, char **text, const char ***words, wl_error *error)
{
    wl_mapping mapping;
    if (wl_mapping_open(&mapping, path, error)) return error->code;
    size_t lines = 1, count = 0;
    for (size_t i = 0; i < mapping.size; i++) lines += mapping.data[i] == '\n';
    *text = wl_copy_text(mapping.data, mapping.size, error);
    *words = *text ? wl_allocate(lines + 1, sizeof(char *), error) : NULL;
    wl_mapping_close(&mapping);
    if (!*words) return WL_ERROR_MEMORY;
    for (char *at = *text; *at;) {
        size_t size = strcspn(at, "\r\n");
        char *next = at + size + strspn(at + size, "\r\n");
        at[size] = '\0';
        if (size) (*words)[count++] = at;
        at = next;
    }
    return WL_OK;
}

static wl_status make_projector(wl_run *run)
{
    const wl_train_config *config = &run->config;
    wl_projector_options options = {
        .kind = (wl_projector_kind)config->kind,
        .dim = (uint32_t)config->dim,
        .hidden = (uint32_t)config->hidden,
        .bias = config->bias,
        .token_weights = config->token_weights,
        .seed = config->seed,
    };
    float *starts = wl_allocate(run->table.rows, sizeof *starts, run->error);
    char *text = NULL;
    const char **words = NULL;
    wl_status status = starts ? WL_OK : WL_ERROR_MEMORY;
    if (!status && config->stop_word_list) status = read_words(config->stop_word_list, &text, &words, run->error);
    if (!status) {
        wl_stop_word_starts(run->codebook->tokenizer, words, (float)config->stop_word_weight,
                            config->stop_word_forms == 1, starts, run->table.rows);
        run->projector = wl_projector_create(&run->table, &options, starts, run->error);
    }
    free(starts);
    free(words);
    free(text);
    if (!run->projector) return run->error->code;
    run->parameters = *wl_projector_parameters(run->projector);
    return WL_OK;
}

/* The scales that are learned are parameters like others. */
static wl_status add_scales(wl_run *run)
{
    for (size_t i = 0; i < run->config.losses.count; i++) {
        const wl_train_loss *loss = &run->config.losses.items[i];
        if (!loss->learn_scale) continue;
        if (run->parameters.count == WL_MOST_PARAMETERS)
            return wl_fail(run->error, WL_ERROR_ARGUMENT, "too many losses with a scale that is learned");
        wl_learned_scale *scale = &run->scales[i];
        *scale = (wl_learned_scale){.value = (float)log(loss->scale), .used = true};
        snprintf(scale->name, sizeof scale->name, "scale.%zu", i);
        run->parameters.items[run->parameters.count++] = (wl_parameter){.name = scale->name,
                                                                        .rows = 1,
                                                                        .columns = 1,
                                                                        .values = &scale->value,
                                                                        .slopes = &scale->slope,
                                                                        .kept = true};
    }
    return WL_OK;
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

/* A safetensors file, whatever its name: the length of a header, and the header. Text never begins so. */
static wl_status look_whether_prepared(const char *path, bool *prepared, wl_error *error)
{
    unsigned char begin[9] = {0};
    FILE *file = fopen(path, "rb");
    if (!file) return wl_fail_errno(error, path, "open", errno);
    size_t size = fread(begin, 1, sizeof begin, file);
    bool failed = ferror(file) != 0;
    int reason = errno;
    fclose(file);
    if (failed) return wl_fail_errno(error, path, "read", reason);
    *prepared = size == sizeof begin && begin[8] == '{' && !(begin[4] | begin[5] | begin[6] | begin[7]);
    return WL_OK;
}

static bool go_on_preparing(void *user, uint64_t records, uint64_t bytes)
{
    const wl_run *run = user;
    wl_train_state state = {.loss = NAN, .score = NAN};
    (void)records;
    (void)bytes;
    return run->options.progress(run->options.user, &state);
}

/* What is not prepared is prepared in the output folder; hold out what the model will be scored on, too. */
static wl_status prepare(const wl_run *run, const char *path, const char *out)
{
    const wl_train_config *config = &run->config;
    size_t count = config->hold_out.count + config->evaluation.count;
    const char **held = wl_allocate(count, sizeof *held, run->error);
    if (!held) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < config->hold_out.count; i++) held[i] = config->hold_out.items[i];
    for (size_t i = 0; i < config->evaluation.count; i++)
        held[config->hold_out.count + i] = config->evaluation.items[i];
    wl_prepare_options options = {
        .size = sizeof options,
        .evaluation = held,
        .evaluation_count = count,
        .least_tokens = (uint32_t)config->drop_shorter,
        .most_tokens = (uint32_t)config->drop_longer,
        .resume = run->options.resume,
        .threads = (uint32_t)config->threads,
    };
    if (run->options.progress) options.progress = go_on_preparing, options.user = (void *)run;
    wl_prepared prepared;
    wl_status status = wl_prepare(&path, 1, run->codebook->tokenizer, out, &options, &prepared, run->error);
    free(held);
    if (status || prepared.kept == prepared.records) return status;
    char text[400];
    snprintf(text, sizeof text,
             "%.200s: %" PRIu64 " of %" PRIu64 " records are kept, %" PRIu64 " stand in evaluation sets", path,
             prepared.kept, prepared.records, prepared.removed[WL_REMOVED_EVALUATION]);
    say(run, text);
    return WL_OK;
}

/* The paths of the prepared files, owned by the caller: those of the configuration, or what is made of them. */
static wl_status find_sources(const wl_run *run, wl_dataset_source *sources, char **paths)
{
    for (size_t i = 0; i < run->config.data.count; i++) {
        const wl_train_data *data = &run->config.data.items[i];
        bool ready = false;
        if (look_whether_prepared(data->path, &ready, run->error)) return run->error->code;
        paths[i] = ready ? wl_copy_text(data->path, strlen(data->path), run->error)
                         : wl_run_path(run, "data-%zu.safetensors", i);
        if (!paths[i]) return WL_ERROR_MEMORY;
        /* A run that goes on has it already: its checkpoint knows the file. */
        bool goes_on = run->options.resume && wl_path_exists(run->checkpoint_path);
        bool there = ready || (goes_on && wl_path_exists(paths[i]));
        if (!there && prepare(run, data->path, paths[i])) return run->error->code;
        sources[i] = (wl_dataset_source){paths[i], data->weight};
    }
    return WL_OK;
}

static wl_status open_dataset(wl_run *run)
{
    const wl_train_config *config = &run->config;
    size_t count = config->data.count;
    wl_dataset_source *sources = wl_allocate(count, sizeof *sources, run->error);
    char **paths = sources ? wl_allocate(count, sizeof(char *), run->error) : NULL;
    wl_status status = paths ? find_sources(run, sources, paths) : WL_ERROR_MEMORY;
    wl_dataset_options options = {
        .sampling = (wl_sampling)config->sampling,
        .batch = config->batch_size,
        .most_tokens = (uint32_t)config->max_tokens,
        .unique_texts = config->unique_texts,
        .seed = config->seed,
        .rows = run->table.rows,
    };
    if (!status) {
        run->dataset = wl_dataset_open(sources, count, run->codebook->tokenizer, &options, run->error);
        status = run->dataset ? WL_OK : run->error->code;
    }
    for (size_t i = 0; paths && i < count; i++) free(paths[i]);
    free(paths);
    free(sources);
    return status;
}

static wl_status open_targets(wl_run *run)
{
    size_t count = run->config.data.count;
    run->targets = wl_allocate(count, sizeof(wl_targets *), run->error);
    if (!run->targets) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const char *path = run->config.data.items[i].targets;
        if (!path) continue;
        run->targets[i] = wl_targets_open(path, NULL, run->error);
        if (!run->targets[i]) return run->error->code;
        uint64_t rows = wl_targets_rows(run->targets[i]), texts = wl_dataset_describe(run->dataset, i).texts;
        if (rows != texts)
            return wl_fail_at(run->error, WL_ERROR_MISMATCH, path, WL_NO_POSITION, 0,
                              "has %" PRIu64 " targets, and %.200s has %" PRIu64 " texts", rows,
                              run->config.data.items[i].path, texts);
    }
    return WL_OK;
}

/* Each loss needs some source that feeds it, known before the first step. */
/* A source whose records feed a loss in part would do so by chance, batch by batch. */
static wl_status check_whole(const wl_run *run, size_t source, const wl_train_loss_traits *traits)
{
    wl_dataset_info info = wl_dataset_describe(run->dataset, source);
    const char *path = run->config.data.items[source].path;
    if (info.most_sides >= traits->sides && info.fewest_sides < traits->sides)
        return wl_fail_at(run->error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                          "holds records of %" PRIu64 " to %" PRIu64 " texts, and the loss %s takes %" PRIu32
                          ": put them into files of their own",
                          info.fewest_sides, info.most_sides, traits->name, traits->sides);
    if (traits->scores && info.scored && info.scored < info.records)
        return wl_fail_at(run->error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                          "%" PRIu64 " of its %" PRIu64 " records have no score, which the loss %s takes",
                          info.records - info.scored, info.records, traits->name);
    return WL_OK;
}

static wl_status check_losses(const wl_run *run)
{
    for (size_t i = 0; i < run->config.losses.count; i++) {
        const wl_train_loss_traits *traits = &wl_train_loss_table[run->config.losses.items[i].kind];
        bool fed = false;
        for (size_t j = 0; j < run->config.data.count; j++) {
            wl_dataset_info info = wl_dataset_describe(run->dataset, j);
            if (check_whole(run, j, traits)) return run->error->code;
            fed |= info.most_sides >= traits->sides && (!traits->scores || info.scored) &&
                   (!traits->targets || run->targets[j]);
        }
        if (!fed)
            return wl_fail(run->error, WL_ERROR_ARGUMENT,
                           "losses: no data for %s, which takes records of %" PRIu32 " texts%s%s", traits->name,
                           traits->sides, traits->scores ? " with scores" : "", traits->targets ? " with targets" : "");
    }
    return WL_OK;
}

/* ---- optimizer and the rest -------------------------------------------------------------------------------------- */

static wl_status make_optimizer(wl_run *run)
{
    const wl_train_config *config = &run->config;
    uint64_t batches = config->epochs * wl_dataset_batches(run->dataset);
    run->steps = (batches + config->accumulate - 1) / config->accumulate;
    if (config->steps) run->steps = config->steps;
    if (!run->steps) return wl_fail(run->error, WL_ERROR_ARGUMENT, "epochs and steps are both 0");
    run->schedule = (wl_optimizer_options){
        .rate = config->learning_rate,
        .beta1 = config->beta1,
        .beta2 = config->beta2,
        .epsilon = config->epsilon,
        .decay = config->weight_decay,
        .clip = config->clip,
        .average = config->average,
        .schedule = (wl_schedule)config->schedule,
        .warm_up = (uint64_t)(config->warm_up < 1 ? ceil(config->warm_up * (double)run->steps) : config->warm_up),
        .steps = run->steps,
    };
    run->optimizer = wl_optimizer_create(&run->parameters, &run->schedule, run->error);
    return run->optimizer ? WL_OK : run->error->code;
}

static wl_status open_sets(wl_run *run)
{
    const wl_train_config *config = &run->config;
    if (!config->evaluation.count) return WL_OK;
    wl_sets_options options = {
        .size = sizeof options,
        .only = (const char *const *)config->evaluation_only.items,
        .only_count = config->evaluation_only.count,
    };
    run->sets =
        wl_sets_open((const char *const *)config->evaluation.items, config->evaluation.count, &options, run->error);
    return run->sets ? WL_OK : run->error->code;
}

/* What the files hold, whatever they are called. */
static wl_status add_digests(wl_run *run)
{
    char line[200], digest[WL_DIGEST_DIGITS];
    wl_digest_print(wl_digest_bytes(run->table.data, run->codebook->table->bytes), digest);
    snprintf(line, sizeof line, "\ncodebook: %zu x %zu, %s", run->table.rows, run->table.dim, digest);
    wl_status status = wl_buffer_append(&run->arguments, line, strlen(line), run->error);
    for (size_t i = 0; i < run->config.data.count && !status; i++) {
        wl_dataset_info info = wl_dataset_describe(run->dataset, i);
        wl_digest_print(info.digest, digest);
        snprintf(line, sizeof line, "\ndata %zu: %" PRIu64 " records, %s", i, info.records, digest);
        status = wl_buffer_append(&run->arguments, line, strlen(line), run->error);
    }
    for (size_t i = 0; run->sets && i < run->sets->count && !status; i++) {
        const wl_set *set = &run->sets->sets[i];
        wl_text_digest all[2] = {{0, 0}};
        for (size_t j = 0; j < set->text_count; j++) {
            all[1] = wl_digest_bytes(set->texts[j].data, set->texts[j].size);
            all[0] = wl_digest_bytes(all, sizeof all);
        }
        wl_digest_print(all[0], digest);
        snprintf(line, sizeof line, "\nset %.60s/%.60s: %s", set->group, set->name, digest);
        status = wl_buffer_append(&run->arguments, line, strlen(line), run->error);
    }
    return status ? status : wl_buffer_append(&run->arguments, "", 1, run->error);
}

/* Files that are read, so that nothing that is written takes their place. */
static wl_status check_not_read(const wl_run *run, const char *written)
{
    const wl_train_config *config = &run->config;
    const char *const single[] = {run->codebook->file.path, run->codebook->tokenizer_path, config->stop_word_list};
    bool read = false;
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) read |= single[i] && wl_same_file(written, single[i]);
    for (size_t i = 0; i < config->data.count; i++) {
        const wl_train_data *data = &config->data.items[i];
        read |= wl_same_file(written, data->path) || (data->targets && wl_same_file(written, data->targets));
    }
    const wl_train_texts *const lists[2] = {&config->evaluation, &config->hold_out};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < lists[i]->count; j++)
            read |= wl_same_file(written, lists[i]->items[j]) ||
                    (wl_path_exists(written) && wl_path_is_directory(lists[i]->items[j]) &&
                     wl_path_lies_in(written, lists[i]->items[j]));
    if (!read) return WL_OK;
    return wl_fail_at(run->error, WL_ERROR_ARGUMENT, written, WL_NO_POSITION, 0,
                      "is a file that is read, and would be written over");
}

static wl_status check_written(const wl_run *run)
{
    if (check_not_read(run, run->config.log)) return run->error->code;
    char *rotation = wl_run_path(run, "%.200s_rotation.safetensors", run->config.name);
    wl_status found = rotation ? check_not_read(run, rotation) : WL_ERROR_MEMORY;
    free(rotation);
    if (found) return found;
    for (size_t i = 0; i < run->config.matryoshka.count; i++) {
        char name[WL_MODEL_NAME];
        wl_run_model_name(run, run->config.matryoshka.items[i], name);
        char *path = wl_run_path(run, "%s", name);
        wl_status status = path ? check_not_read(run, path) : WL_ERROR_MEMORY;
        free(path);
        if (status) return status;
    }
    return WL_OK;
}

/* What does not change the result does not count: where it runs, and how often it looks around. */
static wl_status write_arguments(wl_run *run)
{
    static const wl_train_setting neutral[] = {{"threads", "0"}, {"checkpoint_every", "0"}, {"log", ""},
                                               {"output", ""},   {"save_as", "f16"},        {"norm_power", "0"},
                                               {"mix", "0"}};
    wl_train_config copy = {0};
    wl_buffer text = {0};
    wl_status status = wl_train_config_write(&run->config, &text, run->error);
    if (!status) status = wl_train_config_default(&copy, run->error);
    if (!status) status = wl_train_config_parse(&copy, text.data, text.size, "config", run->error);
    for (size_t i = 0; i < sizeof neutral / sizeof *neutral && !status; i++)
        status = wl_train_config_set(&copy, neutral[i].name, neutral[i].value, run->error);
    if (!status) status = wl_train_config_write(&copy, &run->arguments, run->error);
    if (!status) status = add_digests(run);
    wl_train_config_free(&copy);
    wl_buffer_free(&text);
    return status;
}

/* A run of hours should not take days without a word. */
static void advise(const wl_run *run)
{
    const char *kernels = wl_blas_advice();
    char text[200];
    if (!kernels) return;
    snprintf(text, sizeof text,
             "warning: OpenBLAS does not know this processor and is slow: start with OPENBLAS_CORETYPE=%s", kernels);
    say(run, text);
}

static wl_status open_context(wl_run *run)
{
    wl_context_options options = {.size = sizeof options, .threads = (uint32_t)run->config.threads};
    run->context = wl_context_create(&options, run->error);
    return run->context ? WL_OK : run->error->code;
}

wl_status wl_run_open(wl_run *run, const char *config_path)
{
    run->state = (wl_checkpoint){.best = NAN, .scored = UINT64_MAX};
    if (read_config(run, config_path) || open_codebook(run) || open_context(run)) return run->error->code;
    advise(run);
    char *folder = wl_copy_text(run->config.output, strlen(run->config.output), run->error);
    wl_status status = folder ? wl_make_directories(folder, run->error) : WL_ERROR_MEMORY;
    free(folder);
    run->checkpoint_path = status ? NULL : wl_run_path(run, "checkpoint.safetensors");
    run->best_path = run->checkpoint_path ? wl_run_path(run, "best.safetensors") : NULL;
    if (!run->best_path || check_written(run) || open_sets(run) || open_dataset(run) || open_targets(run) ||
        check_losses(run) || make_projector(run) || add_scales(run) || make_optimizer(run) || write_arguments(run))
        return run->error->code;
    return WL_OK;
}

void wl_run_close(wl_run *run)
{
    if (run->log) fclose(run->log);
    wl_optimizer_free(run->optimizer);
    wl_projector_free(run->projector);
    for (size_t i = 0; run->targets && i < run->config.data.count; i++) wl_targets_close(run->targets[i]);
    free(run->targets);
    wl_dataset_close(run->dataset);
    wl_sets_close(run->sets);
    wl_codebook_close(run->codebook);
    wl_context_free(run->context);
    wl_buffer_free(&run->arguments);
    free(run->checkpoint_path);
    free(run->best_path);
    free(run->rows);
    free(run->vectors);
    free(run->signs);
    free(run->slopes);
    free(run->wanted);
    free(run->directions);
    wl_train_config_free(&run->config);
}
