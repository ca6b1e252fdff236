// SPDX-License-Identifier: GPL-3.0-or-later
#include "parameter_table.hpp"
#include "parameter_tables.hpp"

#include <cstring>

namespace terzetto::plugin {

const InstrumentInfo* find_instrument(const char* name) {
    for (const InstrumentInfo& instrument : tables::instruments) {
        static_assert(sizeof(tables::instruments) > 0);
        if (std::strcmp(instrument.name, name) == 0) return &instrument;
    }
    return nullptr;
}

} // namespace terzetto::plugin
