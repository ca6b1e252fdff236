// SPDX-License-Identifier: GPL-3.0-or-later
// What a plugin's format asks for. Compiled once for each instrument; everything else is shared.
#include "processor.hpp"

juce::AudioProcessor* JUCE_CALLTYPE createPluginFilter();

juce::AudioProcessor* JUCE_CALLTYPE createPluginFilter() {
    return new terzetto::plugin::Processor(*terzetto::plugin::find_instrument(TERZETTO_INSTRUMENT));
}
