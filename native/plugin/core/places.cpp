// SPDX-License-Identifier: GPL-3.0-or-later
#include "places.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

#ifndef _WIN32
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace terzetto::plugin {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

fs::path variable(const char* name) {
    const char* text = std::getenv(name);
    return text ? fs::u8path(text) : fs::path();
}

fs::path first(const fs::path& wanted, const fs::path& otherwise) {
    return wanted.empty() ? otherwise : wanted;
}

// What lies in the runtime folder says where sound and messages go: in somebody else's folder nothing is believed.
bool ours(const fs::path& folder) {
#ifdef _WIN32
    (void)folder;
    return true;
#else
    struct stat found{};
    return ::stat(folder.c_str(), &found) == 0 && found.st_uid == ::getuid();
#endif
}

json read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return json::parse(text, nullptr, false);
}

} // namespace

Places Places::of_this_user() {
    Places places;
#if defined(_WIN32)
    const fs::path local = variable("LOCALAPPDATA") / "Terzetto";
    places = {local / "run", variable("APPDATA") / "Terzetto", local / "log"};
#elif defined(__APPLE__)
    const fs::path library = variable("HOME") / "Library";
    places = {first(variable("TMPDIR"), "/tmp") / "terzetto", library / "Application Support/Terzetto",
              library / "Logs/Terzetto"};
#else
    const fs::path home = variable("HOME"), run = variable("XDG_RUNTIME_DIR");
    places.runtime = run.empty() ? fs::path("/tmp/terzetto-" + std::to_string(::getuid())) : run / "terzetto";
    places.config = first(variable("XDG_CONFIG_HOME"), home / ".config") / "terzetto";
    places.log = first(variable("XDG_STATE_HOME"), home / ".local/state") / "terzetto";
#endif
    places.runtime = first(variable("TERZETTO_RUNTIME_DIR"), places.runtime);
    places.config = first(variable("TERZETTO_CONFIG_DIR"), places.config);
    places.log = first(variable("TERZETTO_STATE_DIR"), places.log);
    return places;
}

std::optional<ServerRecord> read_server(const Places& places) {
    if (!ours(places.runtime)) return std::nullopt;
    const json record = read(places.runtime / "server.json");
    if (!record.is_object()) return std::nullopt;
    const auto pid = record.find("pid"), port = record.find("osc_port");
    if (pid == record.end() || port == record.end() || !pid->is_number_unsigned() || !port->is_number_unsigned())
        return std::nullopt;
    const auto number = port->get<std::uint64_t>();
    if (number == 0 || number > 65535) return std::nullopt;
    return ServerRecord{pid->get<std::uint64_t>(), static_cast<std::uint16_t>(number)};
}

std::optional<EngineRecord> read_engine(const Places& places) {
    const json record = read(places.config / "engine.json");
    if (!record.is_object() || !record.contains("command") || !record["command"].is_array()) return std::nullopt;
    EngineRecord engine;
    for (const json& word : record["command"]) {
        if (!word.is_string()) return std::nullopt;
        engine.command.push_back(word.get<std::string>());
    }
    if (engine.command.empty()) return std::nullopt;
    return engine;
}

} // namespace terzetto::plugin
