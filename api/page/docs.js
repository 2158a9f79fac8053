"use strict";

// swagger-ui-bundle.js puts this function on the window.
window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#documentation", deepLinking: true });
