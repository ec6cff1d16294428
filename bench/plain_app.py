"""The bench's baseline: the chat most Streamlit tutorials end with, streaming through LiteLLM on the script thread."""

from __future__ import annotations

import json
import os
from pathlib import Path

import litellm
import streamlit as st

st.title("Chat")
model = st.sidebar.selectbox("Model", os.environ["BENCH_MODELS"].split(","))
if "messages" not in st.session_state:
    history = json.loads(Path(os.environ["BENCH_HISTORY"]).read_text(encoding="utf-8"))
    st.session_state.messages = history[: int(st.query_params.get("seed", "0"))]

for message in st.session_state.messages:
    with st.chat_message(message["role"]):
        st.markdown(message["content"])

if prompt := st.chat_input("Ask anything"):
    st.session_state.messages.append({"role": "user", "content": prompt})
    with st.chat_message("user"):
        st.markdown(prompt)
    with st.chat_message("assistant"):
        stream = litellm.completion(
            model=f"openai/{model}",
            messages=st.session_state.messages,
            stream=True,
            api_base=os.environ["BENCH_API_BASE"],
            api_key="none",
        )
        answer = st.write_stream(chunk.choices[0].delta.content or "" for chunk in stream)
    st.session_state.messages.append({"role": "assistant", "content": answer})
