#include "extract/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* A folder, or a file in one. */
static wl_status open_here(wl_source_files *files, const char *source, wl_error *error)
{
    const char *slash = strrchr(source, '/');
    if (wl_path_is_directory(source))
        files->folder = wl_copy_text(source, strlen(source), error);
    else {
        files->folder = slash ? wl_copy_text(source, slash == source ? 1 : (size_t)(slash - source), error)
                              : wl_copy_text("", 0, error);
        files->file = wl_copy_text(slash ? slash + 1 : source, strlen(slash ? slash + 1 : source), error);
        if (!files->file) return WL_ERROR_MEMORY;
    }
    return files->folder ? WL_OK : WL_ERROR_MEMORY;
}

static wl_status open_hub(wl_source_files *files, const char *source, const wl_hub_options *hub, wl_error *error)
{
    const char *at = strchr(source, '@');
    files->hub_options = hub ? *hub : (wl_hub_options){.size = sizeof files->hub_options};
    files->hub_name = wl_copy_text(source, at ? (size_t)(at - source) : strlen(source), error);
    if (at) files->revision = wl_copy_text(at + 1, strlen(at + 1), error);
    if (!files->hub_name || (at && !files->revision)) return WL_ERROR_MEMORY;
    if (at && files->hub_options.revision && strcmp(files->hub_options.revision, files->revision) != 0)
        return wl_fail(error, WL_ERROR_ARGUMENT, "the source asks for revision %.100s, the options for %.100s",
                       files->revision, files->hub_options.revision);
    if (at) files->hub_options.revision = files->revision;
    files->hub = wl_hub_open(files->hub_name, &files->hub_options, error);
    return files->hub ? WL_OK : error->code;
}

/* One slash, between two words; a model file that does not exist is a slip, not a repository. */
static bool is_hub_name(const char *source)
{
    static const char *const suffixes[] = {".safetensors", ".json", ".bin", ".pth", ".pt", ".gguf"};
    const char *slash = strchr(source, '/'), *dot = strrchr(source, '.'), *at = strchr(source, '@');
    for (size_t i = 0; dot && i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcmp(dot, suffixes[i]) == 0) return false;
    const char *second = slash ? strchr(slash + 1, '/') : NULL; /* a revision may hold slashes */
    return slash && slash != source && slash[1] && (!second || (at && at < second)) && *source != '.' && *source != '~';
}

wl_status wl_source_open(wl_source_files *files, const char *source, const wl_hub_options *hub, wl_error *error)
{
    *files = (wl_source_files){0};
    wl_status status = WL_OK;
    if (wl_path_exists(source))
        status = open_here(files, source, error);
    else if (is_hub_name(source))
        status = open_hub(files, source, hub, error);
    else
        status = wl_fail_at(error, WL_ERROR_NOT_FOUND, source, WL_NO_POSITION, 0,
                            "no such file or folder, no config of that name, and no name at the hub (owner/name)");
    if (status) wl_source_close(files);
    return status;
}

void wl_source_close(wl_source_files *files)
{
    wl_hub_close(files->hub);
    free(files->folder);
    free(files->file);
    free(files->hub_name);
    free(files->revision);
    *files = (wl_source_files){0};
}

char *wl_source_path(const wl_source_files *files, const char *file, wl_error *error)
{
    return wl_path_join(files->hub ? files->hub_name : files->folder, file, error);
}

/* Names come from files of others: an index may say "../../secret". */
wl_status wl_source_check_name(const char *file, wl_error *error)
{
    bool good = *file && *file != '/' && !strchr(file, '\\');
    for (const char *part = file; good && part; part = strchr(part, '/')) {
        part += *part == '/';
        good = strncmp(part, "..", 2) != 0 || (part[2] && part[2] != '/');
    }
    if (good) return WL_OK;
    return wl_fail(error, WL_ERROR_FORMAT, "the name \"%.200s\" leads out of the model's folder", file);
}

wl_status wl_source_reader(wl_source_files *files, const char *file, wl_reader *reader, wl_error *error)
{
    *reader = (wl_reader){.descriptor = -1};
    if (wl_source_check_name(file, error)) return error->code;
    if (files->hub) return wl_hub_reader(files->hub, file, reader, error);
    char *path = wl_path_join(files->folder, file, error);
    if (!path) return WL_ERROR_MEMORY;
    wl_status status = wl_reader_open(reader, path, error);
    free(path);
    return status;
}

wl_status wl_source_text(wl_source_files *files, const char *file, size_t most, wl_buffer *text, wl_error *error)
{
    wl_reader reader;
    char *path = NULL;
    if (wl_source_check_name(file, error)) return error->code;
    /* What is wanted whole goes through the hub's cache, where it is verified and found again. */
    wl_status status = files->hub ? wl_hub_file(files->hub, file, &path, error) : WL_OK;
    if (!status) status = path ? wl_reader_open(&reader, path, error) : wl_source_reader(files, file, &reader, error);
    free(path);
    if (status) return status;
    if (reader.size > most)
        status = wl_fail_at(error, WL_ERROR_LIMIT, reader.name, most, 0,
                            "the file is larger than the %zu bytes allowed", most);
    if (!status) status = wl_buffer_reserve(text, (size_t)reader.size + 1, error);
    if (!status) status = wl_reader_read(&reader, 0, text->data + text->size, (size_t)reader.size, error);
    if (!status) text->size += (size_t)reader.size;
    wl_reader_close(&reader);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static wl_status list_folder(const char *folder, char ***names, size_t *count, wl_error *error)
{
    size_t capacity = 0;
    DIR *directory = opendir(folder);
    if (!directory) return wl_fail_errno(error, folder, "open", errno);
    wl_status status = WL_OK;
    for (struct dirent *entry; !status && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.') continue;
        void *array = *names;
        status = wl_reserve(&array, &capacity, *count + 1, sizeof **names, error);
        *names = array;
        char *name = status ? NULL : wl_copy_text(entry->d_name, strlen(entry->d_name), error);
        if (!name)
            status = WL_ERROR_MEMORY;
        else
            (*names)[(*count)++] = name;
    }
    closedir(directory);
    return status;
}

wl_status wl_source_names(wl_source_files *files, char ***names, size_t *count, wl_error *error)
{
    *names = NULL;
    *count = 0;
    wl_status status =
        files->hub ? wl_hub_list(files->hub, names, count, error) : list_folder(files->folder, names, count, error);
    if (status) {
        wl_source_names_free(*names, *count);
        *names = NULL;
        *count = 0;
    } else if (*count > 1)
        qsort(*names, *count, sizeof **names, compare_names);
    return status;
}

void wl_source_names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
}

bool wl_source_is_file(const wl_reader *reader, const char *path)
{
    return reader->descriptor >= 0 && wl_same_file(reader->name, path);
}
