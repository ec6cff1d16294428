"""The providers that need no entry in the registry file, and those that need an address in it.

How LiteLLM names them, and which variable holds the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Names and variables: LiteLLM's documentation, "Providers". None: the endpoint takes no key.
KEY_VARIABLES: Mapping[str, str | None] = MappingProxyType(
    {
        "openai": "OPENAI_API_KEY",
        "anthropic": "ANTHROPIC_API_KEY",
        "gemini": "GEMINI_API_KEY",
        "mistral": "MISTRAL_API_KEY",
        "codestral": "CODESTRAL_API_KEY",
        "groq": "GROQ_API_KEY",
        "xai": "XAI_API_KEY",
        "deepseek": "DEEPSEEK_API_KEY",
        "openrouter": "OPENROUTER_API_KEY",
        "azure": "AZURE_API_KEY",
        "azure_ai": "AZURE_AI_API_KEY",
        "bedrock": "AWS_BEARER_TOKEN_BEDROCK",
        "cohere": "COHERE_API_KEY",
        "cohere_chat": "COHERE_API_KEY",
        "together_ai": "TOGETHERAI_API_KEY",
        "fireworks_ai": "FIREWORKS_AI_API_KEY",
        "perplexity": "PERPLEXITYAI_API_KEY",
        "cerebras": "CEREBRAS_API_KEY",
        "sambanova": "SAMBANOVA_API_KEY",
        "deepinfra": "DEEPINFRA_API_KEY",
        "nebius": "NEBIUS_API_KEY",
        "novita": "NOVITA_API_KEY",
        "moonshot": "MOONSHOT_API_KEY",
        "minimax": "MINIMAX_API_KEY",
        "zai": "ZAI_API_KEY",
        "dashscope": "DASHSCOPE_API_KEY",
        "nvidia_nim": "NVIDIA_NIM_API_KEY",
        "huggingface": "HF_TOKEN",
        "ai21": "AI21_API_KEY",
        "github": "GITHUB_API_KEY",
        "vercel_ai_gateway": "VERCEL_AI_GATEWAY_API_KEY",
        "ollama": None,
        "ollama_chat": None,
        "local": None,  # the model that ships with Switchboard
        "scripted": None,  # the test double
    }
)

# Servers of one's own, as LiteLLM names their kinds; None: they take no key unless the registry names one.
NEED_ADDRESS: Mapping[str, str | None] = MappingProxyType(
    {
        "litellm_proxy": "LITELLM_PROXY_API_KEY",
        "hosted_vllm": None,
        "lm_studio": None,
        "llamafile": None,
    }
)
