"""How programs are told what is wrong with what they sent: in OpenAI's shape."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, JsonResponse

ERROR_TYPES: Final = {
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class Refusal(Exception):
    """A request that is answered with an error in OpenAI's shape."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.headers = headers or {}

    def answer(self) -> JsonResponse:
        kind = ERROR_TYPES.get(self.status, "invalid_request_error")
        error = {"message": self.message, "type": kind, "code": self.code, "param": self.param}
        return JsonResponse({"error": error}, status=self.status, headers=self.headers)


def json_errors(view: Callable[[HttpRequest], JsonResponse]) -> Callable[..., JsonResponse]:
    """Answer what a view raises as a Refusal."""

    def answer(request: HttpRequest) -> JsonResponse:
        try:
            return view(request)
        except Refusal as refusal:
            return refusal.answer()

    return answer
