// SPDX-License-Identifier: GPL-3.0-or-later
// Which process, and whether it still is there: a process number may be used again, its start tells the two apart.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#else
#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif
#endif

namespace terzetto::bridge {

inline std::uint64_t this_process() noexcept {
#ifdef _WIN32
    return ::GetCurrentProcessId();
#else
    return static_cast<std::uint64_t>(::getpid());
#endif
}

// When a process started, in the system's own unit; 0: no such process, or it is dead and waits to be collected, or
// the system does not tell.
inline std::uint64_t process_started(std::uint64_t pid) noexcept {
#if defined(__linux__)
    char text[1024];
    std::snprintf(text, sizeof text, "/proc/%llu/stat", static_cast<unsigned long long>(pid));
    const int file = ::open(text, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    const ssize_t bytes = ::read(file, text, sizeof text - 1);
    ::close(file);
    if (bytes <= 0) return 0;
    text[bytes] = '\0';
    // "pid (name) state …": the name may hold anything; the start is field 22.
    const char* at = std::strrchr(text, ')');
    if (!at || std::strlen(at) < 3 || at[2] == 'Z' || at[2] == 'X') return 0;
    at += 2;
    for (int field = 3; field < 22; ++field) {
        at = std::strchr(at, ' ');
        if (!at) return 0;
        ++at;
    }
    return std::strtoull(at, nullptr, 10);
#elif defined(__APPLE__)
    int query[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, static_cast<int>(pid)};
    kinfo_proc found{};
    std::size_t bytes = sizeof found;
    if (::sysctl(query, 4, &found, &bytes, nullptr, 0) != 0 || bytes == 0 || found.kp_proc.p_stat == SZOMB) return 0;
    const timeval start = found.kp_proc.p_starttime;
    return static_cast<std::uint64_t>(start.tv_sec) * 1000000u + static_cast<std::uint64_t>(start.tv_usec);
#elif defined(_WIN32)
    const HANDLE process = ::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, static_cast<DWORD>(pid));
    if (!process) return 0;
    FILETIME created{}, ended{}, kernel{}, user{};
    DWORD status = 0;
    const bool told = ::GetProcessTimes(process, &created, &ended, &kernel, &user) &&
                      ::GetExitCodeProcess(process, &status) && status == STILL_ACTIVE;
    ::CloseHandle(process);
    return told ? (static_cast<std::uint64_t>(created.dwHighDateTime) << 32) | created.dwLowDateTime : 0;
#else
    (void)pid;
    return 0;
#endif
}

// Whether the process that had this number and start is there. Start 0 (not told when it was noted): whether any is.
inline bool process_alive(std::uint64_t pid, std::uint64_t started) noexcept {
    if (pid == 0) return false;
    if (started != 0) return process_started(pid) == started;
#ifdef _WIN32
    return process_started(pid) != 0;
#else
    return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM;
#endif
}

} // namespace terzetto::bridge
