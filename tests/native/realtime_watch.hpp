// SPDX-License-Identifier: GPL-3.0-or-later
// While a RealtimeWatch lives, this thread aborts when it allocates, frees, locks, sleeps, reads or writes. Included by
// one source of a program. Under a sanitizer, which owns these functions, it watches nothing.
#pragma once

#if defined(__linux__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TERZETTO_WATCHES_REALTIME 1
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace terzetto::test {

inline thread_local bool realtime = false;

inline void forbid(const char* what) {
    if (!realtime) return;
    realtime = false;
    const char text[] = "in real time: ";
    (void)!::write(2, text, sizeof text - 1);
    (void)!::write(2, what, std::strlen(what));
    (void)!::write(2, "\n", 1);
    std::abort();
}

template <typename Function>
Function next(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

struct RealtimeWatch {
    RealtimeWatch() { realtime = true; }
    ~RealtimeWatch() { realtime = false; }
};

} // namespace terzetto::test

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

void* malloc(size_t size) {
    terzetto::test::forbid("malloc");
    return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
    terzetto::test::forbid("calloc");
    return __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) {
    terzetto::test::forbid("realloc");
    return __libc_realloc(old, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
    terzetto::test::forbid("aligned_alloc");
    return __libc_memalign(alignment, size);
}
void free(void* old) {
    terzetto::test::forbid("free");
    __libc_free(old);
}
int pthread_mutex_lock(pthread_mutex_t* mutex) {
    terzetto::test::forbid("pthread_mutex_lock");
    static const auto real = terzetto::test::next<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
    return real(mutex);
}
int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
    terzetto::test::forbid("pthread_cond_wait");
    static const auto real = terzetto::test::next<int (*)(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait");
    return real(condition, mutex);
}
int nanosleep(const timespec* time, timespec* rest) {
    terzetto::test::forbid("nanosleep");
    return clock_nanosleep(CLOCK_REALTIME, 0, time, rest);
}
ssize_t read(int file, void* data, size_t size) {
    terzetto::test::forbid("read");
    static const auto real = terzetto::test::next<ssize_t (*)(int, void*, size_t)>("read");
    return real(file, data, size);
}
ssize_t write(int file, const void* data, size_t size) {
    terzetto::test::forbid("write");
    static const auto real = terzetto::test::next<ssize_t (*)(int, const void*, size_t)>("write");
    return real(file, data, size);
}
}

#else

namespace terzetto::test {
struct RealtimeWatch {
    RealtimeWatch() {}
    ~RealtimeWatch() {}
};
} // namespace terzetto::test

#endif
