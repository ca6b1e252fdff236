// SPDX-License-Identifier: GPL-3.0-or-later
// Memory on Windows: a mapping of the paging file. It goes with its last handle, so nothing is left to sweep.
// Unverified: written against the documentation, not yet run.
#pragma once

#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

namespace terzetto::bridge {

class Memory {
public:
    static std::optional<Memory> create(const std::string& name, std::size_t bytes, std::size_t) {
        const HANDLE mapping = ::CreateFileMappingA(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE,
                                                    static_cast<DWORD>(static_cast<std::uint64_t>(bytes) >> 32),
                                                    static_cast<DWORD>(bytes & 0xffffffffu), local(name).c_str());
        if (!mapping) throw BridgeError(failure("cannot make shared memory", name));
        if (::GetLastError() == ERROR_ALREADY_EXISTS) {
            ::CloseHandle(mapping);
            return std::nullopt;
        }
        Memory memory(name, mapping);
        memory.map(0);
        return std::optional<Memory>(std::move(memory));
    }

    static Memory open(const std::string& name) {
        const HANDLE mapping = ::OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE, local(name).c_str());
        if (!mapping) throw BridgeError(failure("cannot open shared memory", name));
        Memory memory(name, mapping);
        memory.map(0);
        return memory;
    }

    static Memory view(const Memory& other) { return open(other.name_); }

    Memory(Memory&& other) noexcept
        : name_(std::move(other.name_)), mapping_(std::exchange(other.mapping_, nullptr)), size_(other.size_),
          data_(std::exchange(other.data_, nullptr)) {}
    Memory& operator=(Memory&&) = delete;
    ~Memory() {
        if (data_) ::UnmapViewOfFile(data_);
        if (mapping_) ::CloseHandle(mapping_);
    }

    // All of it, always.
    void map(std::size_t) {
        if (data_) return;
        data_ = static_cast<std::byte*>(::MapViewOfFile(mapping_, FILE_MAP_ALL_ACCESS, 0, 0, 0));
        MEMORY_BASIC_INFORMATION region{};
        if (!data_ || !::VirtualQuery(data_, &region, sizeof region))
            throw BridgeError(failure("cannot map shared memory", name_));
        size_ = region.RegionSize;
    }

    bool read(std::size_t offset, void* to, std::size_t bytes) const noexcept {
        if (offset + bytes > size_) return false;
        std::memcpy(to, data_ + offset, bytes);
        return true;
    }

    bool reserve(std::size_t, std::size_t) noexcept { return true; } // committed at creation
    void release(std::size_t, std::size_t) noexcept {}
    class Window {
    public:
        Window(const Memory& memory, std::size_t offset, std::size_t) noexcept : data_(memory.data_ + offset) {}
        std::byte* data() const noexcept { return data_; }

    private:
        std::byte* data_;
    };
    void unlink() noexcept {}
    bool abandoned() const noexcept { return false; }
    double unchanged_for() const noexcept { return 0.0; }

    const std::string& name() const noexcept { return name_; }
    std::byte* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    static std::vector<std::string> list(const std::string&) { return {}; }

private:
    Memory(std::string name, HANDLE mapping) : name_(std::move(name)), mapping_(mapping) {}

    static std::string local(const std::string& name) { return "Local\\" + name.substr(1); }
    static std::string failure(const char* what, const std::string& name) {
        const DWORD error = ::GetLastError();
        std::string text = std::string(what) + " '" + name + "': Windows error " + std::to_string(error);
        if (error == ERROR_FILE_NOT_FOUND)
            text += " (its plugin has gone or has not made it yet; insert the plugin again)";
        return text;
    }

    std::string name_;
    HANDLE mapping_ = nullptr;
    std::size_t size_ = 0;
    std::byte* data_ = nullptr;
};

} // namespace terzetto::bridge
