// Looking for a metadata document at its well-known places: which answers mean "not here", "later" and "no".
#pragma once

#include "policy/flows/discovery_flow.hpp"

namespace reauth {

/// What an answer at a metadata URL means for the search.
enum class metadata_answer {
    document, ///< 200: read it
    absent,   ///< 404, 405, 410: not here, look on
    later,    ///< any other answer, or none: look on, but do not conclude that there is none
    refused,  ///< our own rules forbid the address: look on likewise
};

/// GET for a JSON document.
http_request get_json(std::string url);

/// Sorts the answer and adds a step for it.
metadata_answer judge_metadata_answer(const std::string& url, const result<http_response>& answer,
                                      std::vector<discovery_step>& steps);

/// The failure for metadata_answer::later.
failure metadata_unavailable(const std::string& url, const result<http_response>& answer);

/// The failure for an issuer without any document.
failure no_server_metadata(const std::string& issuer);

/// The metadata of an issuer; `spellings` are the strings its `issuer` may equal, the first is where it is
/// looked for. Nothing if no place has a document.
flow<result<std::optional<authorization_server>>>
lookup_server(std::vector<std::string> spellings, plain_http http, std::vector<discovery_step>& steps);

} // namespace reauth
