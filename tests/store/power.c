/* Writes down, in order, what a process asks of the files in one folder, so that a loss of power can be played later.

   Preloaded into a process, it passes every call on and appends a record to the journal: W a write, T a truncation, S a
   sync that begins, E one that ended, U an unlink. A write is noted before it is done and a sync after, so that nothing
   counts as synced that might not be. While the file named by POWER_FULL exists, nothing more fits on the disk.
   gcc -shared -fPIC -O1 -o power.so power.c -ldl */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 4096

struct record { char kind; char pad[7]; uint64_t name_length, offset, length, number; };

static char names[FILES][PATH_MAX];
static atomic_uint_fast64_t syncs;
static int journal = -1;

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, name)

static void note(char kind, const char *name, uint64_t offset, uint64_t length, uint64_t number, const void *data) {
    if (journal < 0) {
        REAL(int, "open", const char *, int, ...);
        journal = real(getenv("POWER_JOURNAL"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    struct record record = {kind, {0}, strlen(name), offset, length, number};
    struct iovec parts[3] = {{&record, sizeof record}, {(void *)name, strlen(name)}, {(void *)data, data ? length : 0}};
    if (writev(journal, parts, 3) < 0) abort();
}

static int is_watched(const char *path) {
    const char *folder = getenv("POWER_FOLDER");
    size_t length = strlen(path);
    if (!folder || strncmp(path, folder, strlen(folder))) return 0;
    return !(length > 4 && !strcmp(path + length - 4, "-shm")) && !(length > 5 && !strcmp(path + length - 5, "-turn")) &&
           !(length > 5 && !strcmp(path + length - 5, "-next"));
}

static int is_full(void) {
    const char *flag = getenv("POWER_FULL");
    return flag && !access(flag, F_OK);
}

static const char *watched(int file) { return file >= 0 && file < FILES && names[file][0] ? names[file] : NULL; }

static int opened(int file, const char *path, int flags) {
    if (file >= 0 && file < FILES) names[file][0] = 0;
    if (file >= 0 && file < FILES && is_watched(path)) {
        strncpy(names[file], path, PATH_MAX - 1);
        if (flags & O_TRUNC) note('T', path, 0, 0, 0, NULL);
    }
    return file;
}

#define OPEN(called)                                                                                        \
    int called(const char *path, int flags, ...) {                                                          \
        REAL(int, #called, const char *, int, ...);                                                         \
        va_list more; va_start(more, flags); int mode = va_arg(more, int); va_end(more);                    \
        return opened(real(path, flags, mode), path, flags);                                                \
    }
OPEN(open)
OPEN(open64)

int close(int file) {
    REAL(int, "close", int);
    if (file >= 0 && file < FILES) names[file][0] = 0;
    return real(file);
}

ssize_t write(int file, const void *data, size_t length) {
    REAL(ssize_t, "write", int, const void *, size_t);
    const char *name = watched(file);
    if (name) {
        if (is_full()) { errno = ENOSPC; return -1; }
        int at_end = fcntl(file, F_GETFL) & O_APPEND;
        note('W', name, lseek(file, 0, at_end ? SEEK_END : SEEK_CUR), length, 0, data);
    }
    return real(file, data, length);
}

#define PWRITE(called)                                                                                      \
    ssize_t called(int file, const void *data, size_t length, off_t offset) {                               \
        REAL(ssize_t, #called, int, const void *, size_t, off_t);                                           \
        const char *name = watched(file);                                                                   \
        if (name && is_full()) { errno = ENOSPC; return -1; }                                               \
        if (name) note('W', name, offset, length, 0, data);                                                 \
        return real(file, data, length, offset);                                                            \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define TRUNCATE(called)                                                                                    \
    int called(int file, off_t length) {                                                                    \
        REAL(int, #called, int, off_t);                                                                     \
        const char *name = watched(file);                                                                   \
        if (name) note('T', name, length, 0, 0, NULL);                                                      \
        return real(file, length);                                                                          \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(called)                                                                                        \
    int called(int file) {                                                                                  \
        REAL(int, #called, int);                                                                            \
        const char *name = watched(file);                                                                   \
        uint64_t number = ((uint64_t)getpid() << 32) | ++syncs;                                             \
        if (name) note('S', name, 0, 0, number, NULL);                                                      \
        int result = real(file);                                                                            \
        if (name && !result) note('E', name, 0, 0, number, NULL);                                           \
        return result;                                                                                      \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    if (is_watched(path)) note('U', path, 0, 0, 0, NULL);
    return real(path);
}
