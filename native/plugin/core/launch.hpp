// SPDX-License-Identifier: GPL-3.0-or-later
// Other processes: starting the engine away from the host, calling its server, ending what hangs and is ours.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace terzetto::plugin {

// Starts a command in a session of its own, without the host's files, signal masks and library paths, no child of the
// host (it leaves no zombie). Its output goes to `log`. False: cannot be started.
bool launch(const std::vector<std::string>& command, const std::filesystem::path& log);

// Whether `program` (a path, or a name on PATH) can be run.
bool runnable(const std::string& program);

// `/terzetto/attach SEGMENT INSTRUMENT INSTANCE` to 127.0.0.1.
bool send_attach(std::uint16_t port, const std::string& segment, const std::string& instrument,
                 const std::string& instance);

bool process_there(std::uint64_t pid);

// Ends the process at once if it provably maps the segment; false: it does not, or cannot be told.
bool end_user_of_segment(std::uint64_t pid, const std::string& segment);

// Ends the process at once if its command line is the engine's.
bool end_engine(std::uint64_t pid, const std::vector<std::string>& command);

} // namespace terzetto::plugin
