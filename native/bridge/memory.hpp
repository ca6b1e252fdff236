// SPDX-License-Identifier: GPL-3.0-or-later
// Named memory that processes share: one interface, here for POSIX, in memory_windows.hpp for Windows.
#pragma once

#include "error.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#ifdef _WIN32
#include "memory_windows.hpp"
#else
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

namespace terzetto::bridge {

class Memory {
public:
    // Makes it, for this user only, and maps its first `resident` bytes, every page there. Nothing: the name is taken.
    // Throws BridgeError: no room, not allowed.
    static std::optional<Memory> create(const std::string& name, std::size_t bytes, std::size_t resident) {
        const int file = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
        if (file < 0 && errno == EEXIST) return std::nullopt;
        if (file < 0) throw BridgeError(failure("cannot make shared memory", name, errno));
        Memory memory(name, file, bytes);
        // Held until this process ends, however it ends: sweep() sees by it that somebody is there.
        (void)::flock(file, LOCK_SH | LOCK_NB);
        int error = ::ftruncate(file, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
        if (error == 0) error = memory.allocate(0, resident);
        if (error == 0) error = memory.map_pages(resident);
        if (error != 0) {
            memory.unlink();
            throw BridgeError(failure("cannot make shared memory", name, error));
        }
        return std::optional<Memory>(std::move(memory));
    }

    // Opens what another process made; not mapped yet. Throws BridgeError.
    static Memory open(const std::string& name) {
        const int file = ::shm_open(name.c_str(), O_RDWR, 0);
        if (file < 0) throw BridgeError(failure("cannot open shared memory", name, errno));
        struct stat status{};
        const bool known = ::fstat(file, &status) == 0;
        Memory memory(name, file, known ? static_cast<std::size_t>(status.st_size) : 0);
        memory.changed_ = status.st_mtime;
        return memory;
    }

    Memory(Memory&& other) noexcept
        : name_(std::move(other.name_)), file_(std::exchange(other.file_, -1)), size_(other.size_),
          data_(std::exchange(other.data_, nullptr)), mapped_(other.mapped_), owned_(other.owned_),
          changed_(other.changed_) {}
    Memory& operator=(Memory&&) = delete;
    ~Memory() {
        if (data_ && owned_) ::munmap(data_, mapped_);
        if (file_ >= 0) ::close(file_);
    }

    // The same pages once more for a second end within this process; `other` must live longer.
    static Memory view(const Memory& other) {
        Memory memory(other.name_, ::dup(other.file_), other.size_);
        memory.data_ = other.data_;
        memory.mapped_ = other.mapped_;
        memory.owned_ = false;
        return memory;
    }

    // Maps its first `bytes`, and brings their pages into this process: no page fault on the audio thread.
    void map(std::size_t bytes) {
        if (const int error = map_pages(bytes)) throw BridgeError(failure("cannot map shared memory", name_, error));
    }

    // Copies from it without mapping. (A page that was never written and finds no room would raise SIGBUS if mapped.)
    bool read(std::size_t offset, void* to, std::size_t bytes) const noexcept {
        if (offset + bytes > size_) return false;
#ifdef __APPLE__ // its shared memory is no file to read from
        void* page = ::mmap(nullptr, offset + bytes, PROT_READ, MAP_SHARED, file_, 0);
        if (page == MAP_FAILED) return false;
        std::memcpy(to, static_cast<std::byte*>(page) + offset, bytes);
        return ::munmap(page, offset + bytes) == 0;
#else
        return ::pread(file_, to, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
#endif
    }

    // Makes sure that these pages exist. False: no room.
    bool reserve(std::size_t offset, std::size_t bytes) noexcept { return allocate(offset, bytes) == 0; }

    // Gives whole pages back where the system can; they read as zeros then.
    void release(std::size_t offset, std::size_t bytes) noexcept {
#if defined(__linux__) && defined(FALLOC_FL_PUNCH_HOLE)
        (void)::fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                          static_cast<off_t>(bytes));
#else
        (void)offset, (void)bytes;
#endif
    }

    // A part beyond, from a page's start on, mapped for a while. (Hosts may lock all that is mapped into memory.)
    class Window {
    public:
        Window(const Memory& memory, std::size_t offset, std::size_t bytes) noexcept : bytes_(bytes) {
            if (bytes == 0) return;
            void* start =
                ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.file_, static_cast<off_t>(offset));
            if (start != MAP_FAILED) data_ = static_cast<std::byte*>(start);
        }
        Window(const Window&) = delete;
        Window& operator=(const Window&) = delete;
        ~Window() {
            if (data_) ::munmap(data_, bytes_);
        }
        std::byte* data() const noexcept { return data_; } // null: it could not be mapped, or has no bytes

    private:
        std::byte* data_ = nullptr;
        std::size_t bytes_;
    };

    void unlink() noexcept { (void)::shm_unlink(name_.c_str()); }
    // Whether no living process holds it as its maker. Where shared memory cannot be locked: true.
    bool abandoned() const noexcept {
        if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return ::flock(file_, LOCK_UN), true;
        return errno != EWOULDBLOCK;
    }
    // Seconds since its size or content last changed by a write.
    double unchanged_for() const noexcept { return static_cast<double>(::time(nullptr) - changed_); }

    const std::string& name() const noexcept { return name_; }
    std::byte* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

    // Names with this prefix. Only Linux tells them.
    static std::vector<std::string> list(const std::string& prefix) {
        std::vector<std::string> names;
#ifdef __linux__
        DIR* folder = ::opendir("/dev/shm");
        if (!folder) return names;
        while (const dirent* entry = ::readdir(folder)) {
            std::string name = std::string("/") + entry->d_name;
            if (name.compare(0, prefix.size(), prefix) == 0) names.push_back(std::move(name));
        }
        ::closedir(folder);
#else
        (void)prefix;
#endif
        return names;
    }

private:
    Memory(std::string name, int file, std::size_t bytes) : name_(std::move(name)), file_(file), size_(bytes) {}

    int map_pages(std::size_t bytes) noexcept {
        void* start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
        if (start == MAP_FAILED) return errno;
        data_ = static_cast<std::byte*>(start);
        mapped_ = bytes;
        for (std::size_t at = 0; at < bytes; at += 4096) (void)*static_cast<volatile std::byte*>(data_ + at);
        return 0;
    }

    int allocate(std::size_t offset, std::size_t bytes) noexcept {
#ifdef __linux__
        int error;
        do error = bytes ? ::posix_fallocate(file_, static_cast<off_t>(offset), static_cast<off_t>(bytes)) : 0;
        while (error == EINTR);
        return error;
#else
        (void)offset, (void)bytes; // the size alone reserves it
        return 0;
#endif
    }

    static std::string failure(const char* what, const std::string& name, int error) {
        std::string text = std::string(what) + " '" + name + "': " + std::strerror(error);
        if (error == ENOENT) text += " (its plugin has gone or has not made it yet; insert the plugin again)";
        if (error == ENOSPC || error == ENOMEM)
            text += " (/dev/shm is full; remove what is not needed there, `terzetto plugins doctor` tells what is)";
        if (error == EACCES) text += " (it belongs to another user; run engine and host as the same one)";
        return text;
    }

    std::string name_;
    int file_ = -1;
    std::size_t size_ = 0;
    std::byte* data_ = nullptr;
    std::size_t mapped_ = 0;
    bool owned_ = true;
    time_t changed_ = 0;
};

} // namespace terzetto::bridge
#endif
