// SPDX-License-Identifier: GPL-3.0-or-later
// Where plugin and engine find each other: the folders and the small JSON files in them (docs/live.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace terzetto::plugin {

struct Places {
    std::filesystem::path runtime; // server.json
    std::filesystem::path config;  // engine.json
    std::filesystem::path log;

    static Places of_this_user(); // TERZETTO_RUNTIME_DIR, TERZETTO_CONFIG_DIR, TERZETTO_STATE_DIR come first
};

struct ServerRecord {
    std::uint64_t pid = 0;
    std::uint16_t osc_port = 0;
};

// How to start the engine; written by `terzetto plugins install`.
struct EngineRecord {
    std::vector<std::string> command;
};

// Not there, or not whole: nothing.
std::optional<ServerRecord> read_server(const Places& places);
std::optional<EngineRecord> read_engine(const Places& places);

} // namespace terzetto::plugin
