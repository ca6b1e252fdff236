// SPDX-License-Identifier: GPL-3.0-or-later
// Unverified: written for Windows, not yet seen to run there.
#include "launch.hpp"

#include "osc.hpp"
#include "process.hpp"

// Before windows.h, which would bring the older sockets.
#include <winsock2.h>

#include <windows.h>

#include <ws2tcpip.h>

namespace terzetto::plugin {

namespace {

std::wstring wide(const std::string& text) {
    return std::filesystem::u8path(text).wstring();
}

// A word of a command line as CommandLineToArgvW reads it back.
std::wstring quoted(const std::wstring& word) {
    if (!word.empty() && word.find_first_of(L" \t\"") == std::wstring::npos) return word;
    std::wstring text = L"\"";
    std::size_t slashes = 0;
    for (const wchar_t sign : word) {
        if (sign == L'"') text.append(slashes + 1, L'\\');
        slashes = sign == L'\\' ? slashes + 1 : 0;
        text += sign;
    }
    text.append(slashes, L'\\');
    return text + L'"';
}

// This process's variables without what a host sets for itself and would lead Python astray.
std::wstring environment() {
    std::wstring kept;
    wchar_t* all = ::GetEnvironmentStringsW();
    for (const wchar_t* entry = all; entry && *entry; entry += std::wcslen(entry) + 1) {
        const std::wstring text(entry);
        bool keep = true;
        for (const wchar_t* name : {L"PYTHONHOME=", L"PYTHONPATH=", L"PYTHONSTARTUP=", L"PYTHONEXECUTABLE="})
            keep = keep && text.rfind(name, 0) != 0;
        if (keep) kept.append(text).push_back(L'\0');
    }
    if (all) ::FreeEnvironmentStringsW(all);
    kept.push_back(L'\0');
    return kept;
}

} // namespace

bool launch(const std::vector<std::string>& command, const std::filesystem::path& log) {
    if (command.empty()) return false;
    std::error_code ignored;
    std::filesystem::create_directories(log.parent_path(), ignored);
    std::wstring line;
    for (const std::string& word : command) line += (line.empty() ? L"" : L" ") + quoted(wide(word));
    SECURITY_ATTRIBUTES inherited{sizeof(SECURITY_ATTRIBUTES), nullptr, TRUE};
    const HANDLE file = ::CreateFileW(log.c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                                      CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
    // Only the log is handed on, none of the host's handles.
    std::vector<char> memory;
    SIZE_T size = 0;
    ::InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
    memory.resize(size);
    STARTUPINFOEXW start{};
    start.StartupInfo.cb = sizeof start;
    start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    start.StartupInfo.hStdOutput = start.StartupInfo.hStdError = file;
    start.lpAttributeList = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory.data());
    HANDLE handed[] = {file};
    const bool listed = file != INVALID_HANDLE_VALUE &&
                        ::InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &size) &&
                        ::UpdateProcThreadAttribute(start.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handed,
                                                    sizeof handed, nullptr, nullptr);
    if (!listed) start.StartupInfo.dwFlags = 0;
    std::wstring variables = environment();
    PROCESS_INFORMATION made{};
    const DWORD flags = CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP | CREATE_UNICODE_ENVIRONMENT |
                        CREATE_BREAKAWAY_FROM_JOB | (listed ? EXTENDED_STARTUPINFO_PRESENT : 0);
    bool started = false;
    // A job that lets nobody leave refuses the first try.
    for (const DWORD without : {DWORD{0}, DWORD{CREATE_BREAKAWAY_FROM_JOB}}) {
        if (started) break;
        started = ::CreateProcessW(nullptr, line.data(), nullptr, nullptr, listed ? TRUE : FALSE, flags & ~without,
                                   variables.data(), nullptr, &start.StartupInfo, &made) != 0;
    }
    if (listed) ::DeleteProcThreadAttributeList(start.lpAttributeList);
    if (file != INVALID_HANDLE_VALUE) ::CloseHandle(file);
    if (!started) return false;
    ::CloseHandle(made.hThread);
    ::CloseHandle(made.hProcess);
    return true;
}

bool runnable(const std::string& program) {
    wchar_t found[MAX_PATH];
    return ::SearchPathW(nullptr, wide(program).c_str(), L".exe", MAX_PATH, found, nullptr) != 0;
}

bool send_attach(std::uint16_t port, const std::string& segment, const std::string& instrument,
                 const std::string& instance) {
    static const bool sockets = [] {
        WSADATA data;
        return ::WSAStartup(MAKEWORD(2, 2), &data) == 0;
    }();
    std::uint8_t packet[1024];
    const Argument arguments[3] = {Argument::of_text(segment), Argument::of_text(instrument),
                                   Argument::of_text(instance)};
    const std::size_t size = write_message(packet, sizeof packet, "/terzetto/attach", arguments, 3);
    const SOCKET socket = sockets ? ::socket(AF_INET, SOCK_DGRAM, 0) : INVALID_SOCKET;
    if (size == 0 || socket == INVALID_SOCKET) return false;
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int sent = ::sendto(socket, reinterpret_cast<const char*>(packet), static_cast<int>(size), 0,
                              reinterpret_cast<const sockaddr*>(&to), sizeof to);
    ::closesocket(socket);
    return sent == static_cast<int>(size);
}

bool process_there(std::uint64_t pid) {
    return bridge::process_started(pid) != 0;
}

// What maps a segment, or runs which command, cannot be told here: nothing is ended.
bool end_user_of_segment(std::uint64_t, const std::string&) {
    return false;
}
bool end_engine(std::uint64_t, const std::vector<std::string>&) {
    return false;
}

} // namespace terzetto::plugin
