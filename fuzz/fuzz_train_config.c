/* Any bytes as a configuration of a training run: what is accepted must be written as JSON that reads to the same, and
 * be found good or bad without harm. */
#include <stdlib.h>
#include <string.h>

#include "train/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

static void write(const wl_train_config *config, wl_buffer *out)
{
    wl_error error;
    require(!wl_train_config_write(config, out, &error));
}

static void read_again(const wl_train_config *config)
{
    wl_buffer first = {0}, second = {0};
    wl_train_config copy = {0};
    wl_error error;
    write(config, &first);
    require(!wl_train_config_default(&copy, &error));
    require(!wl_train_config_parse(&copy, first.data, first.size, "written", &error));
    write(&copy, &second);
    require(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    wl_train_config_free(&copy);
    wl_buffer_free(&first);
    wl_buffer_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wl_train_config config = {0};
    wl_error error;
    require(!wl_train_config_default(&config, &error));
    wl_status status = wl_train_config_parse(&config, (const char *)data, size, "fuzz", &error);
    require(!status || (error.code == status && error.message[0]));
    if (!status) {
        read_again(&config);
        status = wl_train_config_check(&config, &error);
        if (!status) status = wl_train_config_finish(&config, 4096, &error);
        require(!status || (error.code == status && error.message[0]));
        if (!status) read_again(&config);
    }
    wl_train_config_free(&config);
    return 0;
}
