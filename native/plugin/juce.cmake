# SPDX-License-Identifier: GPL-3.0-or-later
# JUCE's modules compiled once, the adapter once, then three thin plugins in every format.
if(TERZETTO_PLUGINS STREQUAL "OFF")
  message(STATUS "terzetto: no plugins (TERZETTO_PLUGINS=OFF)")
  return()
endif()

if(NOT JUCE_DIR AND DEFINED ENV{JUCE_DIR})
  set(JUCE_DIR $ENV{JUCE_DIR})
endif()
# JUCE_DIR: where an installed JUCE keeps its JUCEConfig.cmake, or JUCE's source tree; else the system's.
if(JUCE_DIR AND EXISTS "${JUCE_DIR}/modules/juce_core" AND EXISTS "${JUCE_DIR}/CMakeLists.txt")
  enable_language(C)
  add_subdirectory(${JUCE_DIR} juce EXCLUDE_FROM_ALL)
  set(JUCE_FOUND TRUE)
else()
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND OR NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    enable_language(C)
    find_package(JUCE 7.0.5 CONFIG QUIET)
  endif()
endif()
if(NOT JUCE_FOUND)
  set(missing "JUCE 7.0.5 or newer is missing (Debian: juce-modules-source lv2-dev pkg-config; elsewhere set JUCE_DIR)")
  if(TERZETTO_PLUGINS STREQUAL "ON")
    message(FATAL_ERROR "terzetto: TERZETTO_PLUGINS=ON, but ${missing}")
  endif()
  message(STATUS "terzetto: no plugins, ${missing}")
  return()
endif()

set(formats VST3 LV2)
if(APPLE)
  set(formats AU VST3 LV2)
endif()

add_library(terzetto_juce STATIC)
target_link_libraries(terzetto_juce PRIVATE juce::juce_audio_processors juce::juce_gui_basics)
target_compile_definitions(
  terzetto_juce
  PUBLIC JUCE_WEB_BROWSER=0
         JUCE_USE_CURL=0
         JUCE_VST3_CAN_REPLACE_VST2=0
         JUCE_DISPLAY_SPLASH_SCREEN=0
         # Without it every MIDI controller of every channel becomes a parameter.
         JUCE_VST3_EMULATE_MIDI_CC_WITH_PARAMETERS=0
         JUCE_USE_XRANDR=0
         JUCE_USE_XINERAMA=0
         JUCE_USE_XCURSOR=0
         JUCE_MODAL_LOOPS_PERMITTED=0
         JUCE_REPORT_APP_USAGE=0
  INTERFACE $<TARGET_PROPERTY:terzetto_juce,COMPILE_DEFINITIONS>)
target_include_directories(terzetto_juce INTERFACE $<TARGET_PROPERTY:terzetto_juce,INCLUDE_DIRECTORIES>)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND EXISTS /usr/share/juce/modules)
  # Debian takes the image and compression libraries out of JUCE.
  target_link_libraries(terzetto_juce PUBLIC jpeg png z)
endif()

add_library(terzetto_juce_adapter STATIC juce/controls.cpp juce/editor.cpp juce/host_parameter.cpp juce/look.cpp
                                         juce/pad.cpp juce/pattern_panel.cpp juce/processor.cpp juce/score_panel.cpp
                                         juce/source_panel.cpp juce/voice_pad.cpp)
target_include_directories(terzetto_juce_adapter PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/juce)
target_link_libraries(terzetto_juce_adapter PUBLIC terzetto_juce terzetto_plugin_core)
foreach(target terzetto_juce terzetto_juce_adapter)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden
                                             CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endforeach()
if(NOT MSVC)
  target_compile_options(terzetto_juce_adapter PRIVATE -Wall -Wextra)
endif()

# KIND: Fx, or Instrument: nothing goes in but MIDI, sound and MIDI come out (parameters.toml says `plays`).
function(terzetto_plugin instrument title code kind)
  set(target terzetto_${instrument})
  set(plays FALSE)
  if(kind MATCHES Instrument)
    set(plays TRUE)
  endif()
  juce_add_plugin(
    ${target}
    PRODUCT_NAME "${title}"
    PLUGIN_NAME "${title}"
    VERSION 0.1.0
    COMPANY_NAME "Terzetto"
    BUNDLE_ID audio.terzetto.${instrument}
    PLUGIN_MANUFACTURER_CODE Terz
    PLUGIN_CODE ${code}
    FORMATS ${formats}
    VST3_CATEGORIES ${kind}
    IS_SYNTH ${plays}
    LV2URI https://terzetto.audio/plugins/${instrument}
    NEEDS_MIDI_INPUT TRUE
    NEEDS_MIDI_OUTPUT ${plays}
    NEEDS_CURL FALSE
    NEEDS_WEB_BROWSER FALSE
    COPY_PLUGIN_AFTER_BUILD FALSE)
  target_sources(${target} PRIVATE juce/entry.cpp)
  # Debian's JUCE 7.0.5 does not pass LV2URI on.
  target_compile_definitions(
    ${target}
    PRIVATE TERZETTO_INSTRUMENT="${instrument}"
    PUBLIC JucePlugin_LV2URI="https://terzetto.audio/plugins/${instrument}")
  target_link_libraries(${target} PRIVATE terzetto_juce_adapter)
  foreach(format ${formats})
    if(TARGET ${target}_${format})
      set_target_properties(${target}_${format} PROPERTIES EXCLUDE_FROM_ALL OFF)
      if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
        target_link_options(${target}_${format} PRIVATE -s -Wl,--gc-sections)
      endif()
      get_target_property(bundle ${target}_${format} JUCE_PLUGIN_ARTEFACT_FILE)
      install(
        DIRECTORY "${bundle}"
        DESTINATION terzetto_host/plugins
        USE_SOURCE_PERMISSIONS)
    endif()
  endforeach()
endfunction()

terzetto_plugin(hands "Terzetto Hands" TzHa Fx)
terzetto_plugin(drums "Terzetto Drums" TzDr "Instrument;Drum")
terzetto_plugin(timbre "Terzetto Timbre" TzTi Fx)

foreach(program editor_picture plugin_processor_selftest)
  set(source ${PROJECT_SOURCE_DIR}/tests/native/${program}.cpp)
  if(EXISTS ${source})
    add_executable(${program} EXCLUDE_FROM_ALL ${source})
    target_link_libraries(${program} PRIVATE terzetto_juce_adapter ${CMAKE_DL_LIBS})
  endif()
endforeach()
