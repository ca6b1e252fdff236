// SPDX-License-Identifier: GPL-3.0-or-later
#include "launch.hpp"

#include "osc.hpp"
#include "process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#ifdef __APPLE__
#include <crt_externs.h>
#define environ (*_NSGetEnviron())
#else
extern char** environ;
#endif

namespace terzetto::plugin {

namespace {

// What a host sets for itself and would lead Python or its libraries astray.
constexpr const char* kNotForTheEngine[] = {
    "LD_LIBRARY_PATH=", "LD_PRELOAD=",    "DYLD_LIBRARY_PATH=", "PYTHONHOME=",
    "PYTHONPATH=",      "PYTHONSTARTUP=", "PYTHONEXECUTABLE=",  "__PYVENV_LAUNCHER__="};

std::vector<char*> environment() {
    std::vector<char*> kept;
    for (char** entry = environ; entry && *entry; ++entry) {
        bool keep = true;
        for (const char* name : kNotForTheEngine) keep = keep && std::strncmp(*entry, name, std::strlen(name)) != 0;
        if (keep) kept.push_back(*entry);
    }
    kept.push_back(nullptr);
    return kept;
}

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

} // namespace

bool launch(const std::vector<std::string>& command, const std::filesystem::path& log) {
    if (command.empty()) return false;
    std::error_code ignored;
    std::filesystem::create_directories(log.parent_path(), ignored);

    // A shell puts the command into the background and ends: the command is nobody's child then. posix_spawn instead
    // of fork: a large host is not copied.
    const char* script = "\"$@\" &";
    std::vector<const char*> words = {"/bin/sh", "-c", script, "terzetto"};
    for (const std::string& word : command) words.push_back(word.c_str());
    words.push_back(nullptr);

    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    const std::string path = log.string();
    const int trial = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (trial >= 0) ::close(trial);
    posix_spawn_file_actions_addopen(&files, 1, trial >= 0 ? path.c_str() : "/dev/null", O_WRONLY | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#ifdef POSIX_SPAWN_SETSID
    flags |= POSIX_SPAWN_SETSID;
#endif
#if defined(__APPLE__)
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#elif defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 34)
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
#endif
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, flags);

    pid_t shell = 0;
    const std::vector<char*> kept = environment();
    const int failure = posix_spawn(&shell, "/bin/sh", &files, &attributes, const_cast<char* const*>(words.data()),
                                    const_cast<char* const*>(kept.data()));
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (failure != 0) return false;
    int status = 0;
    while (::waitpid(shell, &status, 0) < 0 && errno == EINTR) {
    } // the host may have collected it already
    return true;
}

bool runnable(const std::string& program) {
    if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0;
    const char* path = std::getenv("PATH");
    std::istringstream folders(path ? path : "/usr/bin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');)
        if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
    return false;
}

bool send_attach(std::uint16_t port, const std::string& segment, const std::string& instrument,
                 const std::string& instance) {
    std::uint8_t packet[1024];
    const Argument arguments[3] = {Argument::of_text(segment), Argument::of_text(instrument),
                                   Argument::of_text(instance)};
    const std::size_t size = write_message(packet, sizeof packet, "/terzetto/attach", arguments, 3);
    const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
    if (size == 0 || socket < 0) return false;
    ::fcntl(socket, F_SETFD, FD_CLOEXEC);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto sent = ::sendto(socket, packet, size, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    ::close(socket);
    return sent == static_cast<ssize_t>(size);
}

bool process_there(std::uint64_t pid) {
    const std::uint64_t started = bridge::process_started(pid);
#ifdef __linux__
    return started != 0;
#else
    return bridge::process_alive(pid, started);
#endif
}

bool end_user_of_segment(std::uint64_t pid, const std::string& segment) {
#ifdef __linux__
    if (pid == 0 || pid == static_cast<std::uint64_t>(::getpid()) || segment.empty()) return false;
    std::istringstream maps(contents("/proc/" + std::to_string(pid) + "/maps"));
    const std::string name = "/dev/shm" + segment;
    for (std::string line; std::getline(maps, line);) {
        const std::size_t at = line.find(name);
        // The whole name, alone or with the kernel's " (deleted)" behind it.
        if (at == std::string::npos) continue;
        const std::size_t end = at + name.size();
        if (end == line.size() || line[end] == ' ') return ::kill(static_cast<pid_t>(pid), SIGKILL) == 0;
    }
#else
    (void)pid;
    (void)segment;
#endif
    return false;
}

bool end_engine(std::uint64_t pid, const std::vector<std::string>& command) {
#ifdef __linux__
    std::string expected;
    for (const std::string& word : command) expected += word + '\0';
    const std::string line = contents("/proc/" + std::to_string(pid) + "/cmdline");
    // A script runs under its interpreter: the command is then the end of the line.
    if (pid != 0 && !expected.empty() && line.size() >= expected.size() &&
        line.compare(line.size() - expected.size(), expected.size(), expected) == 0)
        return ::kill(static_cast<pid_t>(pid), SIGKILL) == 0;
#else
    (void)pid;
    (void)command;
#endif
    return false;
}

} // namespace terzetto::plugin
