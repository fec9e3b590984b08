/* README.md beside the models: what they are, how they were made, how good they are. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "format/json_write.h"
#include "train/run.h"

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void write_scores(wl_json_writer *out, const wl_run *run, const wl_evaluation *evaluation)
{
    size_t variants = wl_evaluation_variants(evaluation);
    wl_json_write(out, "## Scores\n\n| set |");
    for (size_t i = 0; i < variants; i++) {
        wl_variant variant = wl_evaluation_variant(evaluation, i);
        wl_json_write(out, " %" PRIu32 "%s |", variant.dim, variant.binary ? " bits" : "");
    }
    wl_json_write(out, "\n|---|");
    for (size_t i = 0; i < variants; i++) wl_json_write(out, "---|");
    for (size_t i = 0; i < wl_sets_count(run->sets); i++) {
        wl_set_info info = wl_sets_at(run->sets, i);
        wl_json_write(out, "\n| %s/%s, %s |", info.group, info.name, info.metric);
        for (size_t j = 0; j < variants; j++)
            wl_json_write(out, " %.2f |", 100 * wl_evaluation_score(evaluation, i, j).score);
    }
    wl_json_write(out, "\n\nTimes 100. Models were chosen by these sets where more than one was saved on the way.\n\n");
}

static void write_files(wl_json_writer *out, const wl_run *run)
{
    const char *binary = run->config.binarizer != WL_BINARIZE_NONE ? "_binary" : "";
    wl_json_write(out, "| file | dimensions | size |\n|---|---|---|\n");
    for (size_t i = 0; i < run->config.matryoshka.count; i++) {
        uint32_t dim = run->config.matryoshka.items[i];
        wl_json_write(out, "| `%s_%" PRIu32 "%s.safetensors` | %" PRIu32 " | %.1f MB |\n", run->config.name, dim,
                      binary, dim, (double)run->table.rows * dim * 2 / 1e6);
    }
    wl_json_write(out, "\nThe folder `%s` holds the same for sentence-transformers and Model2Vec.\n\n",
                  run->config.name);
}

static void write_data(wl_json_writer *out, const wl_run *run)
{
    wl_json_write(out, "## Data\n\n| source | records | texts |\n|---|---|---|\n");
    for (size_t i = 0; i < run->config.data.count; i++) {
        wl_dataset_info info = wl_dataset_describe(run->dataset, i);
        wl_json_write(out, "| %s | %" PRIu64 " | %" PRIu64 " |\n", last_name(run->config.data.items[i].path),
                      info.records, info.texts);
    }
    wl_json_write(out, "\n");
}

wl_status wl_model_card(const wl_run *run, const wl_evaluation *evaluation, wl_buffer *out, wl_error *error)
{
    wl_json_writer card = {out, error, WL_OK};
    wl_buffer config = {0};
    wl_json_write(
        &card,
        "# %s\n\nA static embedding model, trained by WordLlama in C: the vector of a text is the mean of the "
        "rows of its tokens. Rows: %zu, of the codebook `%s` (%zu x %zu).\n\n",
        run->config.name, run->table.rows, wl_codebook_name(run->codebook), run->table.rows, run->table.dim);
    write_files(&card, run);
    if (evaluation) write_scores(&card, run, evaluation);
    write_data(&card, run);
    wl_json_write(&card, "## Recipe\n\n%" PRIu64 " steps, saved as it was after step %" PRIu64 ".\n\n```json\n",
                  run->state.step, run->state.best_step);
    wl_status status = wl_train_config_write(&run->config, &config, error);
    if (!status && !card.status) status = wl_buffer_append(out, config.data, config.size, error);
    wl_json_write(&card, "```\n");
    wl_buffer_free(&config);
    return status ? status : card.status;
}
