/* Stands under a server: a clock that a file sets, and a kill between what was written and its answer.

   SHIM_CLOCK names a file with the seconds by which the real-time clock is off. SHIM_KILL names a file: while it is
   there, the process dies as it is about to send "201 Created", having removed the file. Build it with
   gcc -shared -fPIC, load it with LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    const char *path = getenv("SHIM_CLOCK");
    if (result == 0 && clock == CLOCK_REALTIME && path != NULL) {
        char text[32] = {0};
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            if (read(file, text, sizeof text - 1) > 0) now->tv_sec += atol(text);
            close(file);
        }
    }
    return result;
}

ssize_t send(int socket, const void *bytes, size_t length, int flags) {
    static ssize_t (*real)(int, const void *, size_t, int);
    const char *path = getenv("SHIM_KILL");
    if (path != NULL && length > 12 && memcmp((const char *)bytes + 8, " 201", 4) == 0 && unlink(path) == 0)
        kill(getpid(), SIGKILL);
    if (real == NULL) real = (ssize_t(*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
    return real(socket, bytes, length, flags);
}
