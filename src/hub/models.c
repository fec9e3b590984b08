/* The models that can be fetched by name. */
#include "wordllama_train.h"

static const wl_known_file l2_supercat_256[] = {
    {
        .name = "model.safetensors",
        .hub = "l2_supercat_256.safetensors",
        .member = "wordllama/weights/l2_supercat_256.safetensors",
        .sha256 = "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
        .bytes = 16384096,
    },
    {
        .name = "tokenizer.json",
        .hub = "l2_supercat_tokenizer_config.json",
        .member = "wordllama/tokenizers/l2_supercat_tokenizer_config.json",
        .sha256 = "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
        .bytes = 1842796,
    },
};

static const wl_known_model models[] = {
    {
        .name = "l2_supercat_256",
        .description = "WordLlama's default: 32,000 tokens of Llama 2, 256 dimensions, English, 16 MB",
        .repository = "dleemiller/word-llama-l2-supercat",
        .package = "wordllama",
        .version = "0.4.0.post1",
        .files = l2_supercat_256,
        .file_count = sizeof l2_supercat_256 / sizeof *l2_supercat_256,
    },
};

size_t wl_known_models(const wl_known_model **out)
{
    if (out) *out = models;
    return sizeof models / sizeof *models;
}
