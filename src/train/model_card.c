/* README.md beside the models: what they are, how they were made, how good they are. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "format/json_write.h"
#include "train/model_write.h"
#include "train/run.h"

/* ---- paths ------------------------------------------------------------------------------------------------------- */

/* The last part of a path, without slashes. */
static wl_text last_name(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = end;
    while (begin && path[begin - 1] != '/') begin--;
    return (wl_text){path + begin, end - begin};
}

static void shorten(char *path)
{
    if (!path) return;
    wl_text name = last_name(path);
    memmove(path, name.data, name.size);
    path[name.size] = '\0';
}

/* ---- what it is -------------------------------------------------------------------------------------------------- */

/* What hubs of models read. */
static void write_header(wl_json_writer *out)
{
    wl_json_write(out, "---\nlibrary_name: model2vec\npipeline_tag: sentence-similarity\ntags:\n- static-embeddings\n"
                       "- wordllama\n- model2vec\n- sentence-transformers\n---\n\n");
}

static void write_files(wl_json_writer *out, const wl_run *run)
{
    bool bytes = run->config.save_as == WL_SAVE_I8;
    const char *stored = bytes ? "I8, a scale for each row" : "F16";
    wl_json_write(out, "| file | dimensions | numbers | size |\n|---|---|---|---|\n");
    for (size_t i = 0; i < run->config.matryoshka.count; i++) {
        uint32_t dim = run->config.matryoshka.items[i];
        char name[WL_MODEL_NAME];
        wl_run_model_name(run, dim, name);
        double size = (double)wl_run_rows(run) * (bytes ? dim + sizeof(float) : dim * 2.0);
        wl_json_write(out, "| `%s` | %" PRIu32 " | %s | %.1f MB |\n", name, dim, stored, size / 1e6);
    }
    wl_json_write(out, "\nThe tokenizer lies beside them.");
    if (run->config.binarizer != WL_BINARIZE_NONE)
        wl_json_write(out, " The vectors are trained to be used as bits: the sign of each dimension.");
    wl_json_write(out, "\n\n");
}

static void write_use(wl_json_writer *out, const wl_run *run)
{
    const char *name = run->config.name;
    char model[WL_MODEL_NAME];
    wl_run_model_name(run, run->config.matryoshka.items[0], model);
    wl_json_write(out, "## Use\n\n```sh\nwordllama similarity --model %s \"a text\" \"another one\"\n```\n\n", model);
    wl_json_write(out, "The folder `%s` holds the model for other programs:\n\n```python\n", name);
    wl_json_write(out,
                  "from sentence_transformers import SentenceTransformer\n"
                  "vectors = SentenceTransformer(\"%s\").encode([\"a text\"])\n\n",
                  name);
    wl_json_write(out,
                  "from model2vec import StaticModel\n"
                  "vectors = StaticModel.from_pretrained(\"%s\").encode([\"a text\"])\n```\n\n",
                  name);
}

/* ---- how good it is ---------------------------------------------------------------------------------------------- */

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
        for (size_t j = 0; j < variants; j++) {
            double score = wl_evaluation_score(evaluation, i, j).score;
            if (isfinite(score))
                wl_json_write(out, " %.2f |", 100 * score);
            else
                wl_json_write(out, " - |");
        }
    }
    wl_json_write(out, "\n\nTimes 100, by dimensions.");
    if (run->config.keep_best)
        wl_json_write(out, " The step that was saved is the one that scored best here, so these scores flatter it.");
    wl_json_write(out, "\n\n");
}

/* ---- how it was made --------------------------------------------------------------------------------------------- */

static void write_data(wl_json_writer *out, const wl_run *run)
{
    wl_json_write(out, "## Data\n\n| source | weight | records | texts |\n|---|---|---|---|\n");
    for (size_t i = 0; i < run->config.data.count; i++) {
        wl_dataset_info info = wl_dataset_describe(run->dataset, i);
        wl_text name = last_name(run->config.data.items[i].path);
        wl_json_write(out, "| %.*s | %g | %" PRIu64 " | %" PRIu64 " |\n", (int)name.size, name.data,
                      run->config.data.items[i].weight, info.records, info.texts);
    }
    wl_json_write(out, "\n");
}

/* Files are named, but where they lay on one machine is nobody's business. */
static void shorten_paths(wl_train_config *config)
{
    for (size_t i = 0; i < WL_TRAIN_FIELDS; i++) {
        void *member = (char *)config + wl_train_fields[i].offset;
        wl_train_texts *paths = member;
        if (wl_train_fields[i].kind == WL_FIELD_PATH) shorten(*(char **)member);
        if (wl_train_fields[i].kind != WL_FIELD_PATHS) continue;
        for (size_t j = 0; j < paths->count; j++) shorten(paths->items[j]);
    }
    for (size_t i = 0; i < config->data.count; i++) {
        shorten(config->data.items[i].path);
        shorten(config->data.items[i].targets);
    }
}

/* Appends the configuration, without what says nothing about the model. */
static wl_status write_recipe(const wl_run *run, wl_buffer *out, wl_error *error)
{
    static const wl_train_setting local[] = {{"output", ""}, {"log", ""}, {"threads", "0"}};
    wl_train_config copy = {0};
    wl_buffer text = {0};
    wl_status status = wl_train_config_write(&run->config, &text, error);
    if (!status) status = wl_train_config_default(&copy, error);
    if (!status) status = wl_train_config_parse(&copy, text.data, text.size, "config", error);
    for (size_t i = 0; i < sizeof local / sizeof *local && !status; i++)
        status = wl_train_config_set(&copy, local[i].name, local[i].value, error);
    if (!status) {
        shorten_paths(&copy);
        status = wl_train_config_write(&copy, out, error);
    }
    wl_train_config_free(&copy);
    wl_buffer_free(&text);
    return status;
}

wl_status wl_model_card(const wl_run *run, const wl_evaluation *evaluation, wl_buffer *out, wl_error *error)
{
    wl_json_writer card = {out, error, WL_OK};
    write_header(&card);
    wl_text codebook = last_name(run->config.codebook);
    wl_json_write(
        &card,
        "# %s\n\nA static embedding model, trained by WordLlama in C: the vector of a text is the mean of the "
        "rows of its tokens. Made of the codebook `%.*s`, %zu x %zu; %zu tokens.\n\n",
        run->config.name, (int)codebook.size, codebook.data, run->table.rows, run->table.dim, wl_run_rows(run));
    write_files(&card, run);
    write_use(&card, run);
    if (evaluation) write_scores(&card, run, evaluation);
    write_data(&card, run);
    wl_json_write(&card, "## Recipe\n\n%" PRIu64 " steps, saved as it was after step %" PRIu64 ".\n\n```json\n",
                  run->state.step, run->state.best_step);
    if (!card.status) card.status = write_recipe(run, out, error);
    wl_json_write(&card, "```\n");
    return card.status;
}
