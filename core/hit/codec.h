// A hit's stored form: a flat record inside a block, fixed part first, then only the fields that are there.
//
//   hit: bytes u16 (of all that follows) | version u8 | … fixed part … | present u32 (bit per optional field) | fields…
//   field: bytes u16 | bytes…
//
// A reader skips fields whose bit it does not know. The exact layout stands in codec.cc above the code.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "hit/hit.h"

namespace footfall {

// Appends the hit. Encoded bytes are at most kHitBytesMax; a larger hit loses its items, then its events
// behind the last that fits (told by the return value: false if anything was left out, and by kHitFieldCut
// in what was encoded).
bool encode_hit(const Hit& hit, std::string& to);

// Writes a hit that has no events to where there is room for kHitBytesMax bytes, as encode_hit does. Its end.
char* encode_plain_hit(const Hit& hit, char* to);

// Changes the site's index in a hit that encode_hit wrote.
void set_encoded_site(char* hit, uint16_t site);

// Takes one hit off the front of `from`. Views point into it. False: the bytes are no hit, `from` is unchanged,
// and `to` holds nothing of use.
bool decode_hit(std::string_view& from, Hit& to);

}  // namespace footfall
