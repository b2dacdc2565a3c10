// The few WebGL2 moves the scene needs: programs, picture layers, and drawing one into another.
import { makeProgram as linkProgram } from "../runtime.js";

function uniformLocations(gl, program) {
  const locations = {};
  const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
  for (let index = 0; index < count; index += 1) {
    const { name, type } = gl.getActiveUniform(program, index);
    const plain = name.replace("[0]", "");
    locations[plain] = { type, at: gl.getUniformLocation(program, name) };
  }
  return locations;
}

/** A linked program; `use(values)` binds it and sets the uniforms it knows, ignoring the others. */
export function makeProgram(gl, vertex, fragment) {
  const program = linkProgram(gl, vertex, fragment);
  const locations = uniformLocations(gl, program);
  const setters = {
    [gl.FLOAT]: (at, value) => gl.uniform1f(at, value),
    [gl.FLOAT_VEC2]: (at, value) => gl.uniform2fv(at, value),
    [gl.FLOAT_VEC3]: (at, value) => gl.uniform3fv(at, value),
    [gl.FLOAT_VEC4]: (at, value) => gl.uniform4fv(at, value),
    [gl.FLOAT_MAT4]: (at, value) => gl.uniformMatrix4fv(at, false, value),
    [gl.UNSIGNED_INT]: (at, value) => gl.uniform1ui(at, value),
    [gl.SAMPLER_2D]: (at, value) => gl.uniform1i(at, value),
  };
  const use = (values) => {
    gl.useProgram(program);
    for (const name in locations) {
      if (values[name] !== undefined) setters[locations[name].type](locations[name].at, values[name]);
    }
  };
  return { use, dispose: () => gl.deleteProgram(program) };
}

/** A colour texture one can draw into: half floats where the driver can, else bytes, which clip the brightest. */
export function makeLayer(gl, width, height, wrap = gl.CLAMP_TO_EDGE, wrapUp = wrap) {
  const deep = gl.getExtension("EXT_color_buffer_float") !== null;
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texStorage2D(gl.TEXTURE_2D, 1, deep ? gl.RGBA16F : gl.RGBA8, width, height);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, wrap);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, wrapUp);
  const framebuffer = gl.createFramebuffer();
  const callersTarget = gl.getParameter(gl.DRAW_FRAMEBUFFER_BINDING);
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  gl.bindFramebuffer(gl.FRAMEBUFFER, callersTarget);
  const dispose = () => {
    gl.deleteFramebuffer(framebuffer);
    gl.deleteTexture(texture);
  };
  return { width, height, texture, framebuffer, dispose };
}

/** Bind `layer`, or the part of it from `y` up, as the target, and only that: its old contents stay. */
export function drawInto(gl, { framebuffer, y = 0, width, height }) {
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.viewport(0, y, width, height);
}

/** Texture units in the order given: the first layer is unit 0. */
export function readFrom(gl, ...layers) {
  layers.forEach((layer, unit) => {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, layer.texture);
  });
}

/** One triangle over the whole target; the vertex shader makes it from gl_VertexID. */
export function fill(gl) {
  gl.drawArrays(gl.TRIANGLES, 0, 3);
}

/** Quads drawn many times, with `floats` numbers per instance in attributes of up to four, from 0 on. */
export function makeInstances(gl, capacity, floats) {
  const vertexArray = gl.createVertexArray();
  const buffer = gl.createBuffer();
  const data = new Float32Array(capacity * floats);
  gl.bindVertexArray(vertexArray);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.bufferData(gl.ARRAY_BUFFER, data.byteLength, gl.DYNAMIC_DRAW);
  for (let slot = 0; slot * 4 < floats; slot += 1) {
    const size = Math.min(4, floats - slot * 4);
    gl.enableVertexAttribArray(slot);
    gl.vertexAttribPointer(slot, size, gl.FLOAT, false, floats * 4, slot * 16);
    gl.vertexAttribDivisor(slot, 1);
  }
  gl.bindVertexArray(null);
  const upload = (count) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, data, 0, count * floats);
  };
  const draw = (count) => {
    if (count === 0) return;
    gl.bindVertexArray(vertexArray);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count);
    gl.bindVertexArray(null);
  };
  const dispose = () => {
    gl.deleteVertexArray(vertexArray);
    gl.deleteBuffer(buffer);
  };
  return { data, upload, draw, dispose };
}
